/* CRC-32 of files, the one of zlib, PNG and Ethernet; with a table of 16 numbers in flash. */
#ifndef FL_CRC32_H
#define FL_CRC32_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Return the CRC-32 of bytes that follow others whose CRC-32 is `crc`; 0 where none went before. */
uint32_t fl_crc32(uint32_t crc, const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
