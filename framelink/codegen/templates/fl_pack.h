#ifndef FL_PACK_H
#define FL_PACK_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef FL_MUST_CHECK
#if defined(__GNUC__)
#define FL_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FL_MUST_CHECK
#endif
#endif

/* An f64 in memory: a double, or a float where a double has no more than 32 bits, as on AVR.  There what
 * comes is rounded to the nearest float, and what goes is as exact as a float. */
#ifndef FL_SHORT_DOUBLE
#if DBL_MANT_DIG < 53
#define FL_SHORT_DOUBLE 1
#else
#define FL_SHORT_DOUBLE 0
#endif
#endif
#if FL_SHORT_DOUBLE
typedef float fl_f64;
#else
typedef double fl_f64;
#endif

/* Bytes of any number.  What an unpack function makes points into the payload, and holds as long as that. */
typedef struct fl_bytes {
    const uint8_t *data; /* may be NULL if size is 0 */
    size_t size;
} fl_bytes;

/* Text, UTF-8, without a zero at its end; as long-lived as fl_bytes. */
typedef struct fl_text {
    const char *data;
    size_t size;
} fl_text;

/* What is left of a payload that is read, or of the room for one that is made. */
typedef struct fl_reader {
    const uint8_t *at;
    size_t left;
} fl_reader;

typedef struct fl_writer {
    uint8_t *at;
    size_t left;
} fl_writer;

/* Return the text of a C string. */
static inline fl_text fl_text_of(const char *string)
{
    fl_text text = {string, strlen(string)};
    return text;
}

/* Return the next bytes of a payload, at least one; NULL if it has not so many. */
static inline const uint8_t *fl_take(fl_reader *reader, size_t size)
{
    const uint8_t *at = reader->at;
    if (size > reader->left)
        return NULL;
    reader->at += size;
    reader->left -= size;
    return at;
}

/* Return room for the next bytes, at least one; NULL if there is none. */
static inline uint8_t *fl_claim(fl_writer *writer, size_t size)
{
    uint8_t *at = writer->at;
    if (size > writer->left)
        return NULL;
    writer->at += size;
    writer->left -= size;
    return at;
}

/* Let a view, whose size is known, point at the next bytes; false if there are not so many. */
static inline FL_MUST_CHECK bool fl_take_bytes(fl_reader *reader, fl_bytes *to)
{
    to->data = reader->at;
    return to->size == 0 || fl_take(reader, to->size) != NULL;
}

static inline FL_MUST_CHECK bool fl_take_text(fl_reader *reader, fl_text *to)
{
    to->data = (const char *)reader->at;
    return to->size == 0 || fl_take(reader, to->size) != NULL;
}

/* Write bytes; false if there is no room. */
static inline FL_MUST_CHECK bool fl_write(fl_writer *writer, const void *data, size_t size)
{
    uint8_t *at;
    if (size == 0)
        return true;
    at = fl_claim(writer, size);
    if (at == NULL)
        return false;
    memcpy(at, data, size);
    return true;
}

static inline void fl_copy_turned(void *to, const void *from, size_t size)
{
    const uint8_t *last = (const uint8_t *)from + size;
    uint8_t *at = (uint8_t *)to;
    while (size-- > 0)
        *at++ = *--last;
}

/* Copy a number between memory and payload, in the payload's byte order. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define fl_copy_le(to, from, size) fl_copy_turned(to, from, size)
#define fl_copy_be(to, from, size) ((void)memcpy(to, from, size))
#else
#define fl_copy_le(to, from, size) ((void)memcpy(to, from, size))
#define fl_copy_be(to, from, size) fl_copy_turned(to, from, size)
#endif

/* Read the number that says how much follows. */
static inline size_t fl_count_u8(const uint8_t *at)
{
    return *at;
}

static inline size_t fl_count_u16_le(const uint8_t *at)
{
    return (size_t)at[0] | (size_t)at[1] << 8;
}

static inline size_t fl_count_u16_be(const uint8_t *at)
{
    return (size_t)at[1] | (size_t)at[0] << 8;
}

/* Write it; false if it is too large. */
static inline FL_MUST_CHECK bool fl_put_count_u8(uint8_t *at, size_t count)
{
    *at = (uint8_t)count;
    return *at == count;
}

static inline FL_MUST_CHECK bool fl_put_count_u16_le(uint8_t *at, size_t count)
{
    at[0] = (uint8_t)count;
    at[1] = (uint8_t)(count >> 8);
    return fl_count_u16_le(at) == count;
}

static inline FL_MUST_CHECK bool fl_put_count_u16_be(uint8_t *at, size_t count)
{
    at[0] = (uint8_t)(count >> 8);
    at[1] = (uint8_t)count;
    return fl_count_u16_be(at) == count;
}

/* Read a text of fixed size; `to` has room for one char more. */
static inline void fl_get_text(char *to, const uint8_t *at, size_t size)
{
    memcpy(to, at, size);
    to[size] = '\0';
}

/* Write it, filled up with zeros. */
static inline void fl_put_text(uint8_t *at, const char *from, size_t size)
{
    size_t length = 0;
    while (length < size && from[length] != '\0')
        length++;
    memcpy(at, from, length);
    memset(at + length, 0, size - length);
}

#if FL_SHORT_DOUBLE
#define FL_F64_FRACTION ((UINT64_C(1) << 52) - 1)
#define FL_F64_TO_F32 896 /* the difference of their exponents' biases */

/* Return the bits of an f64 of the same value. */
static inline uint64_t fl_f64_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & UINT32_C(0x7FFFFF);
    uint16_t exponent = (uint16_t)(bits >> 23 & 0xFF);
    uint64_t sign = (uint64_t)(bits >> 31) << 63;
    if (exponent == 0xFF) /* infinite, or no number */
        return sign | UINT64_C(0x7FF) << 52 | (uint64_t)fraction << 29;
    if (exponent == 0 && fraction == 0)
        return sign;
    exponent = (uint16_t)(exponent + FL_F64_TO_F32);
    if (exponent == FL_F64_TO_F32) { /* too small for a float's usual form, not for an f64's */
        for (exponent++; (fraction & UINT32_C(0x800000)) == 0; exponent--)
            fraction <<= 1;
        fraction &= UINT32_C(0x7FFFFF);
    }
    return sign | (uint64_t)exponent << 52 | (uint64_t)fraction << 29;
}

/* Return the bits of the float that is nearest to an f64's value, of two the even one. */
static inline uint32_t fl_f32_bits(uint64_t bits)
{
    uint32_t sign = (uint32_t)(bits >> 32) & UINT32_C(0x80000000);
    uint64_t fraction = bits & FL_F64_FRACTION;
    int16_t exponent = (int16_t)((bits >> 52 & 0x7FF) - FL_F64_TO_F32);
    uint8_t shift = 29;
    if (exponent >= 0xFF) {
        bool is_number = exponent < 0x7FF - FL_F64_TO_F32 || fraction == 0;
        return sign | (is_number ? UINT32_C(0x7F800000) : UINT32_C(0x7FC00000));
    }
    if (exponent < -24)
        return sign;
    if (exponent <= 0) {
        fraction |= FL_F64_FRACTION + 1;
        shift = (uint8_t)(shift + 1 - exponent);
        exponent = 0;
    }
    uint64_t lost = fraction & ((UINT64_C(1) << shift) - 1), half = UINT64_C(1) << (shift - 1);
    uint32_t found = ((uint32_t)exponent << 23) + (uint32_t)(fraction >> shift);
    if (lost > half || (lost == half && (found & 1) != 0))
        found++; /* it may carry into the exponent, up to infinity, as it should */
    return sign | found;
}

static inline fl_f64 fl_f64_of(uint64_t bits)
{
    uint32_t nearest = fl_f32_bits(bits);
    float value;
    memcpy(&value, &nearest, sizeof value);
    return value;
}
#else
static inline uint64_t fl_f64_bits(fl_f64 value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline fl_f64 fl_f64_of(uint64_t bits)
{
    fl_f64 value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
#endif

static inline void fl_get_f64_le(fl_f64 *to, const uint8_t *at)
{
    uint64_t bits;
    fl_copy_le(&bits, at, sizeof bits);
    *to = fl_f64_of(bits);
}

static inline void fl_get_f64_be(fl_f64 *to, const uint8_t *at)
{
    uint64_t bits;
    fl_copy_be(&bits, at, sizeof bits);
    *to = fl_f64_of(bits);
}

static inline void fl_put_f64_le(uint8_t *at, fl_f64 value)
{
    uint64_t bits = fl_f64_bits(value);
    fl_copy_le(at, &bits, sizeof bits);
}

static inline void fl_put_f64_be(uint8_t *at, fl_f64 value)
{
    uint64_t bits = fl_f64_bits(value);
    fl_copy_be(at, &bits, sizeof bits);
}

#endif
