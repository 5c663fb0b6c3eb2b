/* The block receiver, with a check over many bytes at once. */
#include "fl_feed.h"

#include <string.h>

#include "fl_check.h"
#include "fl_layout.h"

static inline bool may_begin_frame(const uint8_t *at, size_t there)
{
    if (there < FL_HEADER_SIZE)
        return memcmp(at, fl_header, there) == 0;
    return at[0] == fl_header[0] && memcmp(at, fl_header, FL_HEADER_SIZE) == 0;
}

/* Return what the bytes from `candidate` on are, which begin with a header or a part of one; `*whole` becomes
 * the bytes of the frame, 0 where the head is incomplete. */
static uint8_t judge(const uint8_t *candidate, size_t used, size_t *whole)
{
    *whole = 0;
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
    uint16_t computed = fl_check(candidate + FL_COVERED_FROM, check_at - FL_COVERED_FROM);
    return computed == fl_check_of(candidate + check_at) ? FL_WHOLE : FL_COUNT_CHECK;
}

/* Move `*at` on to what is a frame or may become one, and count what is passed over.
 *
 * Returns whether it is one; `*whole` becomes its bytes, 0 where the head is incomplete. */
static bool seek(fl_receiver *receiver, const uint8_t **at, const uint8_t *end, size_t *whole)
{
    const uint8_t *candidate = *at;
    uint8_t verdict = FL_POSSIBLE;
    while (candidate < end) {
        size_t there = (size_t)(end - candidate);
        verdict = may_begin_frame(candidate, there) ? judge(candidate, there, whole) : FL_COUNT_NOISE;
        if (verdict >= FL_WHOLE)
            break;
        receiver->ledger.count[verdict]++; /* its first byte; the search goes on at its second */
        candidate++;
    }
    *at = candidate;
    return verdict == FL_WHOLE;
}

/* Return the frame that stands at `whole`, and count it. */
static inline fl_frame deliver(fl_receiver *receiver, const uint8_t *at, size_t whole)
{
    receiver->ledger.count[FL_COUNT_FRAMES]++;
    receiver->ledger.delivered += (uint32_t)whole;
    return (fl_frame){
        .data = at + FL_HEAD_SIZE,
        .size = (fl_size)(whole - FL_OVERHEAD),
        .addr = fl_field(at, FL_ADDR_PLACE),
        .cmd = fl_field(at, FL_CMD_PLACE),
    };
}

/* Note that what is held may still become a frame, of `whole` bytes if that is known. */
static void hold(fl_receiver *receiver, size_t used, size_t whole)
{
    receiver->used = receiver->judged = (fl_size)used;
    receiver->whole = (fl_size)whole;
}

/* Move the block's beginning. */
static void move(fl_block *block, const uint8_t *to)
{
    block->size -= (size_t)(to - block->bytes);
    block->bytes = to;
}

/* Find the frames of a block when nothing is held from before it. */
static size_t scan(fl_receiver *receiver, fl_block *block, fl_frame *frames, size_t max)
{
    const uint8_t *at = block->bytes, *end = at + block->size;
    size_t count = 0, whole = 0;
    while (count < max && seek(receiver, &at, end, &whole)) {
        frames[count++] = deliver(receiver, at, whole);
        at += whole;
    }
    if (count < max) {
        size_t rest = (size_t)(end - at);
        memcpy(receiver->bytes, at, rest);
        hold(receiver, rest, whole);
        at = end;
    }
    move(block, at);
    return count;
}

/* Drop the bytes that are held before `from`, of which `used` remain. */
static void drop_held(fl_receiver *receiver, const uint8_t *from, size_t used)
{
    uint8_t *to = receiver->bytes;
    if (from != to)
        for (; used > 0; used--)
            *to++ = *from++;
}

/* Add bytes of the block to the `used` ones that are held, so that there are `wanted` if it has as many.
 *
 * Returns how many there are. */
static size_t top_up_held(fl_receiver *receiver, fl_block *block, size_t used, size_t wanted)
{
    size_t count = wanted - used < block->size ? wanted - used : block->size;
    memcpy(receiver->bytes + used, block->bytes, count);
    move(block, block->bytes + count);
    return used + count;
}

/* Feed the candidate that is held until it is a frame, or lies in the block alone, or the block is used up.
 *
 * Returns whether it is a frame. */
static bool settle_held(fl_receiver *receiver, fl_block *block, fl_frame *frame)
{
    const uint8_t *begin = block->bytes, *at = receiver->bytes + receiver->taken;
    size_t used = receiver->used, whole = 0;
    receiver->taken = 0;
    while (!seek(receiver, &at, receiver->bytes + used, &whole)) {
        used = (size_t)(receiver->bytes + used - at);
        drop_held(receiver, at, used);
        at = receiver->bytes;
        if (used <= (size_t)(block->bytes - begin)) {
            move(block, block->bytes - used);
            used = 0;
        }
        hold(receiver, used, whole);
        if (used == 0 || block->size == 0)
            return false;
        used = top_up_held(receiver, block, used, whole == 0 ? FL_HEAD_SIZE : whole);
    }
    receiver->used = (fl_size)used;
    receiver->taken = (fl_size)((size_t)(at - receiver->bytes) + whole);
    receiver->judged = 0; /* of those behind it */
    *frame = deliver(receiver, at, whole);
    return true;
}

size_t fl_receiver_feed(fl_receiver *receiver, fl_block *block, fl_frame *frames, size_t max)
{
    if (receiver->used > 0 && settle_held(receiver, block, frames))
        return 1; /* its data are among the bytes that are held, so no others may be before they are used */
    return receiver->used > 0 ? 0 : scan(receiver, block, frames, max);
}
