/* Where things stand in a candidate, and what they say.  Private to the core. */
#ifndef FL_LAYOUT_H
#define FL_LAYOUT_H
#include "fl_frame.h"

/* What a candidate is: none, and then the count of the reason, or one of these. */
enum { FL_WHOLE = FL_COUNT_FRAMES, FL_POSSIBLE };

static const uint8_t fl_header[] = {FL_HEADER};
static const uint8_t fl_tail[] = {FL_TAIL};

/* Return the byte of a field that a frame may or may not have, 0 if it has not. */
static inline uint8_t fl_field(const uint8_t *candidate, int place)
{
    return place < 0 ? 0 : candidate[FL_HEADER_SIZE + place];
}

/* Return the number in the len field of a candidate whose head is complete. */
static inline uint16_t fl_announced(const uint8_t *candidate)
{
    const uint8_t *len = candidate + FL_HEADER_SIZE + FL_LEN_PLACE;
    return FL_LEN_SIZE == 1    ? len[0]
           : FL_LEN_BIG_ENDIAN ? (uint16_t)(len[0] << 8 | len[FL_LEN_SIZE - 1])
                               : (uint16_t)(len[FL_LEN_SIZE - 1] << 8 | len[0]);
}

/* Return the data bytes of a candidate whose head is complete; nonsense if that is not allowed. */
static inline uint16_t fl_data_size(const uint8_t *candidate)
{
    return (uint16_t)(fl_announced(candidate) - (FL_LEN_COUNTS_FRAME ? FL_OVERHEAD : 0));
}

/* Return the check that stands in a frame. */
static inline uint16_t fl_check_of(const uint8_t *check)
{
    return FL_CHECK_SIZE == 0     ? 0
           : FL_CHECK_SIZE == 1   ? check[0]
           : FL_CHECK_BIG_ENDIAN  ? (uint16_t)(check[0] << 8 | check[FL_CHECK_SIZE / 2])
                                  : (uint16_t)(check[FL_CHECK_SIZE / 2] << 8 | check[0]);
}

#endif
