/* Runs a fuzz target without libFuzzer. */
#include "fuzz_run.h"

#include <string.h>

static uint8_t input[FUZZ_LONGEST];

static void run_stream(FILE *stream)
{
    size_t size = fread(input, 1, sizeof input, stream);
    (void)LLVMFuzzerTestOneInput(input, size);
}

static void run_random(uint32_t seed, unsigned long runs)
{
    uint32_t state = seed | 1U;
    for (; runs > 0; runs--)
        (void)LLVMFuzzerTestOneInput(input, fuzz_invent(&state, input));
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "--random") == 0) {
        run_random((uint32_t)strtoul(arguments[2], NULL, 10), strtoul(arguments[3], NULL, 10));
        return 0;
    }
    if (count == 1)
        run_stream(stdin);
    for (int at = 1; at < count; at++) {
        FILE *stream = fopen(arguments[at], "rb");
        if (stream == NULL) {
            perror(arguments[at]);
            return 1;
        }
        run_stream(stream);
        fclose(stream);
    }
    return 0;
}
