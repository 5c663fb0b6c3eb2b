/* CRC-32, four bits at a time. */
#include "fl_crc32.h"

#include "fl_flash.h"

/* What four bits do to the CRC: polynomial 0x04C11DB7, reflected. */
static const uint32_t table[] FL_FLASH = {
    0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU,
    0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U, 0x5005713CU,
    0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU,
    0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU,
};

static uint32_t after_four_bits(uint32_t crc)
{
    uint32_t row;
    fl_flash_copy(&row, table + (crc & 15U), sizeof row);
    return crc >> 4 ^ row;
}

uint32_t fl_crc32(uint32_t crc, const uint8_t *bytes, size_t size)
{
    crc = ~crc;
    for (; size > 0; size--)
        crc = after_four_bits(after_four_bits(crc ^ *bytes++));
    return ~crc;
}
