/* The block receiver, with a sliced CRC. */
#include "fl_feed.h"

#include <string.h>

#include "fl_layout.h"
#include "fl_slices.h"

/* Count the bytes up to the next that may begin a header as noise, and return where it is. */
static const uint8_t *skip_noise(fl_receiver *receiver, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *found = at;
    while ((found = memchr(found, fl_header[0], (size_t)(end - found))) != NULL) {
        size_t there = (size_t)(end - found);
        if (memcmp(found, fl_header, there < FL_HEADER_SIZE ? there : FL_HEADER_SIZE) == 0)
            break;
        found++;
    }
    if (found == NULL)
        found = end;
    receiver->ledger.count[FL_COUNT_NOISE] += (uint32_t)(found - at);
    return found;
}

/* Return what the bytes from `candidate` on are, which begin with a header or a part of one; `*whole` becomes
 * the bytes of the frame where the head is complete. */
static inline uint8_t judge(const uint8_t *candidate, size_t used, size_t *whole)
{
    if (used < FL_HEAD_SIZE)
        return FL_POSSIBLE;
    size_t size = fl_data_size(candidate);
    if (!fl_length_allowed(fl_field(candidate, FL_CMD_PLACE), size))
        return FL_COUNT_LENGTH;
    size_t check_at = FL_HEAD_SIZE + size, tail_at = check_at + FL_CHECK_SIZE;
    *whole = tail_at + FL_TAIL_SIZE;
    if (used < *whole) {
        bool fits = used <= tail_at || memcmp(candidate + tail_at, fl_tail, used - tail_at) == 0;
        return fits ? FL_POSSIBLE : FL_COUNT_TAIL;
    }
    if (memcmp(candidate + tail_at, fl_tail, FL_TAIL_SIZE) != 0)
        return FL_COUNT_TAIL;
    uint16_t computed = fl_check_sliced(candidate + FL_COVERED_FROM, check_at - FL_COVERED_FROM);
    return computed == fl_check_of(candidate + check_at) ? FL_WHOLE : FL_COUNT_CHECK;
}

/* Hold the candidate at the end of a block back for the next one. */
static void hold(fl_receiver *receiver, const uint8_t *candidate, size_t used, size_t whole)
{
    memcpy(receiver->bytes, candidate, used);
    receiver->used = receiver->judged = (fl_size)used;
    receiver->whole = (fl_size)whole;
}

/* Find the frames of a block when nothing is held back from before it. */
static size_t scan(fl_receiver *receiver, fl_block *block, fl_frame *frames, size_t max)
{
    const uint8_t *at = block->bytes, *end = at + block->size;
    size_t count = 0, delivered = 0;
    while (count < max && (at = skip_noise(receiver, at, end)) < end) {
        size_t whole = 0;
        uint8_t verdict = judge(at, (size_t)(end - at), &whole);
        if (verdict == FL_WHOLE) {
            frames[count++] = (fl_frame){
                .data = at + FL_HEAD_SIZE,
                .size = (fl_size)(whole - FL_OVERHEAD),
                .addr = fl_field(at, FL_ADDR_PLACE),
                .cmd = fl_field(at, FL_CMD_PLACE),
            };
            delivered += whole;
            at += whole;
        } else if (verdict == FL_POSSIBLE) {
            hold(receiver, at, (size_t)(end - at), whole);
            at = end;
        } else {
            receiver->ledger.count[verdict]++; /* its first byte; the search goes on at its second */
            at++;
        }
    }
    receiver->ledger.count[FL_COUNT_FRAMES] += (uint32_t)count;
    receiver->ledger.delivered += (uint32_t)delivered;
    block->bytes = at;
    block->size = (size_t)(end - at);
    return count;
}

/* Feed the candidate that is held back, a byte at a time, until it is settled or lies in the block alone. */
static const fl_frame *settle_held(fl_receiver *receiver, fl_block *block)
{
    const uint8_t *begin = block->bytes;
    const fl_frame *frame = fl_receiver_next(receiver);
    while (frame == NULL && receiver->used > (size_t)(block->bytes - begin) && block->size > 0) {
        block->size--;
        frame = fl_receiver_push(receiver, *block->bytes++);
    }
    if (frame == NULL && receiver->used <= (size_t)(block->bytes - begin)) {
        block->bytes -= receiver->used;
        block->size += receiver->used;
        receiver->used = receiver->judged = 0;
    }
    return frame;
}

size_t fl_receiver_feed(fl_receiver *receiver, fl_block *block, fl_frame *frames, size_t max)
{
    if (receiver->used > 0) {
        const fl_frame *frame = settle_held(receiver, block);
        if (frame != NULL) {
            frames[0] = *frame;
            return 1; /* its data are the receiver's, so nothing may be held back until it is used */
        }
        if (receiver->used > 0)
            return 0;
    }
    return scan(receiver, block, frames, max);
}
