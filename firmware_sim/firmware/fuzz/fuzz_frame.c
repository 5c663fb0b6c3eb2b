/* The fuzz target of the core: any bytes, taken one by one and in blocks, are accounted for alike. */
#include <string.h>

#include "fl_feed.h"
#include "fuzz_run.h"

#define BATCH 3U /* frames a call, few, so that a batch is often full */

/* What one way of receiving has delivered, mixed into one number. */
typedef struct digest {
    uint64_t mixed;
    uint32_t frames;
} digest;

static void mix(digest *sum, uint8_t byte)
{
    sum->mixed = (sum->mixed ^ byte) * 1099511628211U; /* FNV-1a */
}

static void deliver(digest *sum, const fl_frame *frame)
{
    sum->frames++;
    mix(sum, frame->addr);
    mix(sum, frame->cmd);
    mix(sum, (uint8_t)frame->size);
    for (fl_size at = 0; at < frame->size; at++)
        mix(sum, frame->data[at]);
}

/* Encode what was received, and receive that: it must come out the same. */
static void round_trip(const fl_frame *frame)
{
    uint8_t wire[FL_FRAME_MAX];
    fl_size size = fl_encode(wire, sizeof wire, frame->addr, frame->cmd, frame->data, frame->size);
    require(size == FL_OVERHEAD + frame->size, "a frame that was received can be encoded");
    fl_receiver receiver;
    fl_receiver_init(&receiver);
    const fl_frame *heard = NULL;
    for (fl_size at = 0; at < size; at++) {
        require(heard == NULL, "a frame is complete at its last byte");
        heard = fl_receiver_push(&receiver, wire[at]);
    }
    require(heard != NULL, "an encoded frame is received");
    if (heard != NULL) {
        require(heard->addr == frame->addr && heard->cmd == frame->cmd, "its address and command are the same");
        require(heard->size == frame->size && memcmp(heard->data, frame->data, frame->size) == 0,
                "its data are the same");
    }
}

static digest push_all(fl_receiver *receiver, const uint8_t *data, size_t size)
{
    digest sum = {14695981039346656037U, 0};
    for (size_t at = 0; at < size; at++) {
        const fl_frame *frame = fl_receiver_push(receiver, data[at]);
        for (; frame != NULL; frame = fl_receiver_next(receiver)) {
            deliver(&sum, frame);
            round_trip(frame);
        }
        require(fl_receiver_received(receiver) == at + 1, "every byte is accounted for");
        require(fl_receiver_pending(receiver) < FL_FRAME_MAX, "less than a longest frame is pending");
        require(fl_receiver_state(receiver) <= FL_STATE_TAIL, "the state is one of the states");
    }
    return sum;
}

/* Feed the same bytes in blocks whose sizes the bytes themselves choose. */
static digest feed_all(fl_receiver *receiver, const uint8_t *data, size_t size)
{
    digest sum = {14695981039346656037U, 0};
    size_t at = 0;
    while (at < size) {
        size_t step = 1U + (size_t)data[at] * (data[at] & 1U ? 1U : 7U), left = size - at;
        fl_block block = {data + at, step < left ? step : left};
        at += block.size;
        fl_frame frames[BATCH];
        size_t count;
        while ((count = fl_receiver_feed(receiver, &block, frames, BATCH)) > 0)
            for (size_t one = 0; one < count; one++)
                deliver(&sum, &frames[one]);
        require(block.size == 0, "a block is used up");
    }
    return sum;
}

static void give_up(fl_receiver *receiver, digest *sum)
{
    const fl_frame *frame;
    while ((frame = fl_receiver_idle(receiver)) != NULL)
        deliver(sum, frame);
    require(fl_receiver_pending(receiver) == 0, "after silence nothing is pending");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_receiver pushed, fed;
    fl_receiver_init(&pushed);
    fl_receiver_init(&fed);
    digest one = push_all(&pushed, data, size), other = feed_all(&fed, data, size);
    require(fl_receiver_state(&pushed) == fl_receiver_state(&fed), "byte and block end in the same state");
    give_up(&pushed, &one);
    give_up(&fed, &other);
    require(one.mixed == other.mixed && one.frames == other.frames, "byte and block give the same frames");
    require(memcmp(&pushed.ledger, &fed.ledger, sizeof pushed.ledger) == 0, "… and the same ledger");
    require(pushed.ledger.count[FL_COUNT_FRAMES] == one.frames, "the ledger counts the frames");
    return 0;
}

/* Fill the input with frames, damage and bytes that hurt. */
size_t fuzz_invent(uint32_t *state, uint8_t *input)
{
    static const uint8_t hurtful[] = {FL_HEADER, FL_TAIL, 0, 1, 3, 0xFF};
    size_t used = 0, wanted = fuzz_random(state) % (FUZZ_LONGEST - FL_FRAME_MAX);
    while (used < wanted) {
        uint32_t kind = fuzz_random(state) % 8U;
        size_t size = fuzz_random(state) % (FL_MAX_DATA < 40 ? FL_MAX_DATA + 1U : 40U);
        uint8_t *begin = input + used;
        for (size_t at = 0; at < size; at++)
            begin[FL_HEAD_SIZE + at] =
                kind & 1U ? hurtful[fuzz_random(state) % sizeof hurtful] : (uint8_t)fuzz_random(state);
        size_t whole = fl_seal(begin, (uint8_t)fuzz_random(state), (uint8_t)fuzz_random(state), size);
        if (kind == 6)
            begin[fuzz_random(state) % (whole + 1U)] ^= (uint8_t)(1U << fuzz_random(state) % 8U);
        used += kind == 7 ? fuzz_random(state) % (whole + 1U) : whole;
    }
    return used;
}
