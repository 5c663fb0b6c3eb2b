/* A reflected CRC over 16 bytes at once: by carry-less multiplication where the processor has it, else with
 * tables.  Private to the core, and only for fl_check.h.
 *
 * Precedent: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", 2009.
 * Bytes are taken as one polynomial, its x^0 the first bit on the wire, so the CRC of n bits is that
 * polynomial times x^-n, modulo the reversed P.  A block of 128 bits is folded into the next one as itself
 * times x^-128.  The last one is made divisible by x^128: by adding the multiple of P with the same lower 128
 * bits, of which those above are the CRC.
 */
#ifndef FL_FOLD_H
#define FL_FOLD_H

#include "fl_slices.h"

#if defined(__x86_64__) && defined(__GNUC__) && FL_CRC_POLY == 0x8005

#include <immintrin.h>
#include <stdbool.h>

#define FL_FOLDING __attribute__((target("pclmul,ssse3")))
#define FL_FOLD_BLOCK 16U /* bytes */

/* x^-128 and x^-64 modulo P = x^16 + x^14 + x + 1, and 1 / P modulo x^128: a test derives them. */
#define FL_FOLD_BY_128 0x90C1
#define FL_FOLD_BY_64 0xCCC1
#define FL_FOLD_INVERSE_HIGH 0xBF00FEABFCCFFBBFULL
#define FL_FOLD_INVERSE_LOW 0xF0FFEBFFCFFFBFFFULL

FL_FOLDING static inline __m128i fl_fold_load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

FL_FOLDING static inline __m128i fl_fold_into(__m128i block, __m128i next)
{
    const __m128i by = _mm_set_epi64x(FL_FOLD_BY_64, FL_FOLD_BY_128);
    __m128i low = _mm_clmulepi64_si128(block, by, 0x00), high = _mm_clmulepi64_si128(block, by, 0x11);
    return _mm_xor_si128(next, _mm_xor_si128(low, high));
}

/* Return a block times x^-128 modulo P: its CRC. */
FL_FOLDING static inline uint16_t fl_fold_end(__m128i block)
{
    const __m128i inverse = _mm_set_epi64x((long long)FL_FOLD_INVERSE_HIGH, (long long)FL_FOLD_INVERSE_LOW);
    __m128i low = _mm_clmulepi64_si128(block, inverse, 0x00);
    __m128i high = _mm_xor_si128(_mm_clmulepi64_si128(block, inverse, 0x01),
                                 _mm_clmulepi64_si128(block, inverse, 0x10));
    uint64_t quotient = (uint64_t)_mm_cvtsi128_si64(_mm_xor_si128(_mm_unpackhi_epi64(low, low), high));
    uint32_t upper = (uint32_t)(quotient >> 48);
    return (uint16_t)(upper ^ upper >> 2 ^ upper >> 15); /* times P, divided by x^16 */
}

/* Return the first bytes of a block, fewer than 16, moved to its end, with zeros before them. */
FL_FOLDING static inline __m128i fl_fold_first(__m128i block, size_t count)
{
    static const uint8_t moves[2 * FL_FOLD_BLOCK] = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15};
    return _mm_shuffle_epi8(block, fl_fold_load(moves + count));
}

/* Return the CRC of 16 bytes or more, without the final XOR. */
FL_FOLDING static inline uint16_t fl_crc_folded(const uint8_t *bytes, size_t size)
{
    size_t odd = size % FL_FOLD_BLOCK;
    __m128i block = _mm_xor_si128(fl_fold_load(bytes), _mm_cvtsi32_si128(FL_CRC_FIRST));
    if (odd > 0) { /* zeros at the beginning change nothing, so the blocks can end where the bytes end */
        __m128i second_of_first = _mm_cvtsi32_si128(odd == 1 ? FL_CRC_FIRST >> 8 : 0);
        __m128i next = _mm_xor_si128(fl_fold_load(bytes + odd), second_of_first);
        block = fl_fold_into(fl_fold_first(block, odd), next);
    }
    for (size_t at = odd + FL_FOLD_BLOCK; at < size; at += FL_FOLD_BLOCK)
        block = fl_fold_into(block, fl_fold_load(bytes + at));
    return fl_fold_end(block);
}

static inline bool fl_can_fold(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3");
}

static inline uint16_t fl_crc_block(const uint8_t *bytes, size_t size)
{
    return size >= FL_FOLD_BLOCK && fl_can_fold() ? fl_crc_folded(bytes, size) : fl_crc_sliced(bytes, size);
}

#else

static inline uint16_t fl_crc_block(const uint8_t *bytes, size_t size)
{
    return fl_crc_sliced(bytes, size);
}

#endif

#endif
