/* What the core needs of string.h, where there is no C library. */
#ifndef FL_WASM_STRING_H
#define FL_WASM_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *one, const void *other, size_t size);
void *memchr(const void *bytes, int byte, size_t size);

#endif
