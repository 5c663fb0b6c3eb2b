/* A reflected CRC over 16 bytes at once, with tables.  Private to the core, and only for fl_check.h.
 *
 * Precedent: Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC
 * Generators", 2005.  A CRC is linear, so the CRC of 16 bytes is the sum of 16 numbers, each looked up by one
 * byte and its distance from the end; the look-ups do not wait for each other.
 */
#ifndef FL_SLICES_H
#define FL_SLICES_H

#define FL_SLICES 16U /* bytes */

/* FL_SLICE_k_b is what bit b of a byte adds when k bytes of zeros follow it. */
#define FL_STEP_4(crc) FL_CRC_STEP(FL_CRC_STEP(FL_CRC_STEP(FL_CRC_STEP(crc))))
#define FL_SLICE_BIT(slice, before, bit) \
    FL_SLICE_##slice##_##bit##_HALFWAY = FL_STEP_4(FL_SLICE_##before##_##bit + 0U), \
    FL_SLICE_##slice##_##bit = FL_STEP_4(FL_SLICE_##slice##_##bit##_HALFWAY + 0U)
#define FL_SLICE_BITS(slice, before) \
    FL_SLICE_BIT(slice, before, 0), FL_SLICE_BIT(slice, before, 1), FL_SLICE_BIT(slice, before, 2), \
    FL_SLICE_BIT(slice, before, 3), FL_SLICE_BIT(slice, before, 4), FL_SLICE_BIT(slice, before, 5), \
    FL_SLICE_BIT(slice, before, 6), FL_SLICE_BIT(slice, before, 7)
enum {
    FL_SLICE_0_7 = FL_CRC_POLYNOMIAL,
    FL_SLICE_0_6 = FL_CRC_STEP(FL_SLICE_0_7 + 0U),
    FL_SLICE_0_5 = FL_CRC_STEP(FL_SLICE_0_6 + 0U),
    FL_SLICE_0_4 = FL_CRC_STEP(FL_SLICE_0_5 + 0U),
    FL_SLICE_0_3 = FL_CRC_STEP(FL_SLICE_0_4 + 0U),
    FL_SLICE_0_2 = FL_CRC_STEP(FL_SLICE_0_3 + 0U),
    FL_SLICE_0_1 = FL_CRC_STEP(FL_SLICE_0_2 + 0U),
    FL_SLICE_0_0 = FL_CRC_STEP(FL_SLICE_0_1 + 0U),
    FL_SLICE_BITS(1, 0),
    FL_SLICE_BITS(2, 1),
    FL_SLICE_BITS(3, 2),
    FL_SLICE_BITS(4, 3),
    FL_SLICE_BITS(5, 4),
    FL_SLICE_BITS(6, 5),
    FL_SLICE_BITS(7, 6),
    FL_SLICE_BITS(8, 7),
    FL_SLICE_BITS(9, 8),
    FL_SLICE_BITS(10, 9),
    FL_SLICE_BITS(11, 10),
    FL_SLICE_BITS(12, 11),
    FL_SLICE_BITS(13, 12),
    FL_SLICE_BITS(14, 13),
    FL_SLICE_BITS(15, 14)
};

#define FL_SLICE_IF(n, slice, bit) ((n) >> bit & 1 ? FL_SLICE_##slice##_##bit : 0)
#define FL_SLICE_OF(n, slice) \
    (FL_SLICE_IF(n, slice, 0) ^ FL_SLICE_IF(n, slice, 1) ^ FL_SLICE_IF(n, slice, 2) ^ \
     FL_SLICE_IF(n, slice, 3) ^ FL_SLICE_IF(n, slice, 4) ^ FL_SLICE_IF(n, slice, 5) ^ \
     FL_SLICE_IF(n, slice, 6) ^ FL_SLICE_IF(n, slice, 7))
#define FL_SLICE_OF_0(n) FL_SLICE_OF(n, 0)
#define FL_SLICE_OF_1(n) FL_SLICE_OF(n, 1)
#define FL_SLICE_OF_2(n) FL_SLICE_OF(n, 2)
#define FL_SLICE_OF_3(n) FL_SLICE_OF(n, 3)
#define FL_SLICE_OF_4(n) FL_SLICE_OF(n, 4)
#define FL_SLICE_OF_5(n) FL_SLICE_OF(n, 5)
#define FL_SLICE_OF_6(n) FL_SLICE_OF(n, 6)
#define FL_SLICE_OF_7(n) FL_SLICE_OF(n, 7)
#define FL_SLICE_OF_8(n) FL_SLICE_OF(n, 8)
#define FL_SLICE_OF_9(n) FL_SLICE_OF(n, 9)
#define FL_SLICE_OF_10(n) FL_SLICE_OF(n, 10)
#define FL_SLICE_OF_11(n) FL_SLICE_OF(n, 11)
#define FL_SLICE_OF_12(n) FL_SLICE_OF(n, 12)
#define FL_SLICE_OF_13(n) FL_SLICE_OF(n, 13)
#define FL_SLICE_OF_14(n) FL_SLICE_OF(n, 14)
#define FL_SLICE_OF_15(n) FL_SLICE_OF(n, 15)
#define FL_SLICE(slice) \
    { \
        FL_ROW_64(FL_SLICE_OF_##slice, 0), FL_ROW_64(FL_SLICE_OF_##slice, 64), \
            FL_ROW_64(FL_SLICE_OF_##slice, 128), FL_ROW_64(FL_SLICE_OF_##slice, 192) \
    }
static const uint16_t fl_slices[FL_SLICES][256] = {
    FL_SLICE(0), FL_SLICE(1), FL_SLICE(2), FL_SLICE(3),
    FL_SLICE(4), FL_SLICE(5), FL_SLICE(6), FL_SLICE(7),
    FL_SLICE(8), FL_SLICE(9), FL_SLICE(10), FL_SLICE(11),
    FL_SLICE(12), FL_SLICE(13), FL_SLICE(14), FL_SLICE(15)};

/* Return the CRC of 2 to FL_SLICES bytes more. */
static inline uint16_t fl_crc_slices(uint16_t crc, const uint8_t *bytes, size_t size)
{
    uint16_t sum = (uint16_t)(fl_slices[size - 1][(crc ^ bytes[0]) & 0xFFU] ^
                              fl_slices[size - 2][(crc >> 8 ^ bytes[1]) & 0xFFU]);
    for (size_t at = 2; at < size; at++)
        sum = (uint16_t)(sum ^ fl_slices[size - 1 - at][bytes[at]]);
    return sum;
}

/* Return the CRC of any number of bytes, without the final XOR. */
static inline uint16_t fl_crc_sliced(const uint8_t *bytes, size_t size)
{
    uint16_t crc = FL_CRC_FIRST;
    for (; size >= FL_SLICES; size -= FL_SLICES, bytes += FL_SLICES)
        crc = fl_crc_slices(crc, bytes, FL_SLICES);
    if (size >= 2)
        crc = fl_crc_slices(crc, bytes, size);
    else if (size == 1)
        crc = fl_crc_byte(crc, *bytes);
    return crc;
}

#endif
