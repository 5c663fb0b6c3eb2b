/* What every fuzz target has.
 *
 * As libFuzzer's:   clang -fsanitize=fuzzer,address,undefined TARGET.c …
 * From files, or stdin without any:   cc -fsanitize=address,undefined TARGET.c fuzz_run.c …; ./a.out FILE…
 * By itself, with seeded random bytes:   ./a.out --random SEED COUNT
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_LONGEST 8192U /* bytes of an input */

/* The target: try an input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target: write a random input, at most FUZZ_LONGEST bytes, and return how many there are. */
size_t fuzz_invent(uint32_t *state, uint8_t *input);

/* Return the next random number (xorshift: the same everywhere). */
static inline uint32_t fuzz_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* End with what was violated, unless it holds. */
static inline void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz: violated: %s\n", what);
        abort();
    }
}

#endif
