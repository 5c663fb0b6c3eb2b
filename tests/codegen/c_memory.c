/* Reads payloads, as lines of a number and hex digits, and tells of each whether its message takes it.
 *
 * Every payload stands in memory of just its size, and what is made of it goes to memory of just its size, and of
 * every smaller one: a sanitizer sees each byte that is read or written beside them. */
#include "messages.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE 2048

static uint8_t *memory(size_t size)
{
    return size == 0 ? NULL : malloc(size);
}

static bool packs(message one, const void *value, size_t room)
{
    uint8_t *out = memory(room);
    size_t size = 0;
    bool done = one.pack(value, out, room, &size);
    free(out);
    return done && size <= room;
}

static bool takes(message one, const uint8_t *data, size_t size)
{
    void *value = malloc(one.size);
    memset(value, 0, one.size);
    bool taken = one.unpack(value, data, size);
    size_t least = 0;
    while (taken && least <= size && !packs(one, value, least))
        least++;
    free(value);
    return taken && least <= size;
}

int main(void)
{
    char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *digits;
        unsigned long index = strtoul(line, &digits, 10);
        size_t size = strspn(++digits, "0123456789abcdef") / 2;
        uint8_t *data = memory(size);
        for (size_t at = 0; at < size; at++) {
            char byte[3] = {digits[2 * at], digits[2 * at + 1], '\0'};
            data[at] = (uint8_t)strtoul(byte, NULL, 16);
        }
        puts(takes(messages[index], data, size) ? "taken" : "refused");
        free(data);
    }
    return 0;
}
