/* The check of a frame, as chosen in fl_config.h.  Private to the core. */
#ifndef FL_CHECK_H
#define FL_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "fl_config.h"

#if FL_CHECK == FL_CHECK_CRC16

#define FL_REVERSED_4(n) (((n) & 1U) << 3 | ((n) & 2U) << 1 | ((n) & 4U) >> 1 | ((n) & 8U) >> 3)
#define FL_REVERSED_8(n) (FL_REVERSED_4((n) & 15U) << 4 | FL_REVERSED_4((n) >> 4 & 15U))
#define FL_REVERSED_16(n) (FL_REVERSED_8((n) & 255U) << 8 | FL_REVERSED_8((n) >> 8 & 255U))

#if FL_CRC_REFLECTED
#define FL_CRC_FIRST FL_REVERSED_16(FL_CRC_INIT)
#define FL_CRC_POLYNOMIAL FL_REVERSED_16(FL_CRC_POLY)
#define FL_CRC_STEP(crc) ((unsigned)(crc) >> 1 ^ ((unsigned)(crc) & 1U ? FL_CRC_POLYNOMIAL : 0U))
#else
#define FL_CRC_FIRST FL_CRC_INIT
#define FL_CRC_POLYNOMIAL (FL_CRC_POLY + 0U)
#define FL_CRC_STEP(crc) \
    (((unsigned)(crc) << 1 & 0xFFFFU) ^ ((unsigned)(crc) & 0x8000U ? FL_CRC_POLYNOMIAL : 0U))
#endif

#if FL_CRC_TABLE >= FL_CRC_TABLE_16

/* What each bit of a byte does to the CRC; a table's number is the sum of its bits' (a CRC is linear).
 * An enumerator is an int, which may have 16 bits: so it holds the number less 32,768. */
#define FL_CRC_BIASED(crc) ((int)((long)(crc) - 32768L))
#define FL_CRC_UNBIASED(bit) ((uint16_t)(FL_CRC_BIT_##bit + 32768L))
#define FL_CRC_AFTER(bit) FL_CRC_BIASED(FL_CRC_STEP(FL_CRC_UNBIASED(bit)))
enum {
    FL_CRC_BIT_0 = FL_CRC_BIASED(FL_CRC_POLYNOMIAL),
    FL_CRC_BIT_1 = FL_CRC_AFTER(0),
    FL_CRC_BIT_2 = FL_CRC_AFTER(1),
    FL_CRC_BIT_3 = FL_CRC_AFTER(2),
    FL_CRC_BIT_4 = FL_CRC_AFTER(3),
    FL_CRC_BIT_5 = FL_CRC_AFTER(4),
    FL_CRC_BIT_6 = FL_CRC_AFTER(5),
    FL_CRC_BIT_7 = FL_CRC_AFTER(6)
};

#define FL_CRC_IF(set, bit) ((set) ? FL_CRC_UNBIASED(bit) : 0)
#if FL_CRC_REFLECTED
#define FL_CRC_OF_4(n) \
    (FL_CRC_IF((n) & 8, 0) ^ FL_CRC_IF((n) & 4, 1) ^ FL_CRC_IF((n) & 2, 2) ^ FL_CRC_IF((n) & 1, 3))
#define FL_CRC_OF_8(n) \
    (FL_CRC_OF_4((n) >> 4) ^ FL_CRC_IF((n) & 8, 4) ^ FL_CRC_IF((n) & 4, 5) ^ FL_CRC_IF((n) & 2, 6) ^ \
     FL_CRC_IF((n) & 1, 7))
#else
#define FL_CRC_OF_4(n) \
    (FL_CRC_IF((n) & 1, 0) ^ FL_CRC_IF((n) & 2, 1) ^ FL_CRC_IF((n) & 4, 2) ^ FL_CRC_IF((n) & 8, 3))
#define FL_CRC_OF_8(n) \
    (FL_CRC_OF_4(n) ^ FL_CRC_IF((n) & 16, 4) ^ FL_CRC_IF((n) & 32, 5) ^ FL_CRC_IF((n) & 64, 6) ^ \
     FL_CRC_IF((n) & 128, 7))
#endif
#define FL_ROW_4(of, n) of(n), of((n) + 1), of((n) + 2), of((n) + 3)
#define FL_ROW_16(of, n) FL_ROW_4(of, n), FL_ROW_4(of, (n) + 4), FL_ROW_4(of, (n) + 8), FL_ROW_4(of, (n) + 12)
#define FL_ROW_64(of, n) \
    FL_ROW_16(of, n), FL_ROW_16(of, (n) + 16), FL_ROW_16(of, (n) + 32), FL_ROW_16(of, (n) + 48)

#if defined(__AVR__)
#include <avr/pgmspace.h> /* constants stay in flash, which costs RAM nothing */
#define FL_IN_FLASH PROGMEM
#define FL_CRC_LOOK_UP(n) pgm_read_word(&fl_crc_table[n])
#else
#define FL_IN_FLASH
#define FL_CRC_LOOK_UP(n) fl_crc_table[n]
#endif

#endif

#if FL_CRC_TABLE == FL_CRC_TABLE_256 || FL_CRC_TABLE == FL_CRC_TABLE_SLICES

static const uint16_t fl_crc_table[256] FL_IN_FLASH = {
    FL_ROW_64(FL_CRC_OF_8, 0), FL_ROW_64(FL_CRC_OF_8, 64), FL_ROW_64(FL_CRC_OF_8, 128), FL_ROW_64(FL_CRC_OF_8, 192)};

static inline uint16_t fl_crc_byte(uint16_t crc, uint8_t byte)
{
#if FL_CRC_REFLECTED
    return (uint16_t)(crc >> 8 ^ FL_CRC_LOOK_UP((crc ^ byte) & 0xFFU));
#else
    return (uint16_t)((uint16_t)(crc << 8) ^ FL_CRC_LOOK_UP((crc >> 8 ^ byte) & 0xFFU));
#endif
}

#elif FL_CRC_TABLE == FL_CRC_TABLE_16

static const uint16_t fl_crc_table[16] FL_IN_FLASH = {FL_ROW_16(FL_CRC_OF_4, 0)};

static inline uint16_t fl_crc_byte(uint16_t crc, uint8_t byte)
{
#if FL_CRC_REFLECTED
    crc = (uint16_t)(crc >> 4 ^ FL_CRC_LOOK_UP((crc ^ byte) & 15U));
    return (uint16_t)(crc >> 4 ^ FL_CRC_LOOK_UP((crc ^ byte >> 4) & 15U));
#else
    crc = (uint16_t)((uint16_t)(crc << 4) ^ FL_CRC_LOOK_UP((crc >> 12 ^ byte >> 4) & 15U));
    return (uint16_t)((uint16_t)(crc << 4) ^ FL_CRC_LOOK_UP((crc >> 12 ^ byte) & 15U));
#endif
}

#elif FL_CRC_TABLE == FL_CRC_TABLE_PLATFORM

#if !defined(__AVR__) || FL_CRC_POLY != 0x8005 || !FL_CRC_REFLECTED
#error "only avr-libc brings a CRC of its own, for the polynomial 0x8005, reflected"
#endif
#include <util/crc16.h>

static inline uint16_t fl_crc_byte(uint16_t crc, uint8_t byte)
{
    return _crc16_update(crc, byte);
}

#elif FL_CRC_TABLE == FL_CRC_TABLE_NONE

static inline uint16_t fl_crc_byte(uint16_t crc, uint8_t byte)
{
    crc = (uint16_t)(crc ^ (FL_CRC_REFLECTED ? byte : (uint16_t)((uint16_t)byte << 8)));
    for (uint8_t bit = 0; bit < 8; bit++)
        crc = (uint16_t)FL_CRC_STEP(crc);
    return crc;
}

#else
#error "FL_CRC_TABLE is 0, 16, 256, 4096, or 1 for the platform's own"
#endif

#if FL_CRC_TABLE == FL_CRC_TABLE_SLICES && FL_CRC_REFLECTED

#include "fl_fold.h"

static inline uint16_t fl_check(const uint8_t *bytes, size_t size)
{
    return (uint16_t)(fl_crc_block(bytes, size) ^ FL_CRC_XOROUT);
}

#else

static inline uint16_t fl_check(const uint8_t *bytes, size_t size)
{
    uint16_t crc = FL_CRC_FIRST;
    while (size-- > 0)
        crc = fl_crc_byte(crc, *bytes++);
    return (uint16_t)(crc ^ FL_CRC_XOROUT);
}

#endif

#else

static inline uint16_t fl_check(const uint8_t *bytes, size_t size)
{
    uint16_t sum = 0;
    while (size-- > 0)
        sum = (uint16_t)(FL_CHECK == FL_CHECK_XOR8 ? sum ^ *bytes++ : sum + *bytes++);
    return FL_CHECK_SIZE == 1 ? sum & 0xFFU : FL_CHECK_SIZE == 2 ? sum : 0;
}

#endif

#endif
