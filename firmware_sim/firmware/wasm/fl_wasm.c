/* The core behind plain numbers and memory, for callers that share no types with C: one instance of this
 * module is one receiver and one encoder.  docs/firmware.md shows how JavaScript and Python call it.
 */
#include "fl_feed.h"

#if defined(__wasm__)
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

#define INPUT_SIZE 65536U /* bytes of the stream that a call may bring */
#define BATCH 256U        /* frames that a call may give */

/* A frame as the caller finds it in memory. */
typedef struct flat_frame {
    const uint8_t *data;
    uint16_t size;
    uint8_t addr;
    uint8_t cmd;
} flat_frame;

static fl_receiver receiver;
static fl_block block;
static fl_frame found[BATCH];
static flat_frame frames[BATCH];
static uint8_t input[INPUT_SIZE];
static uint8_t output[FL_FRAME_MAX];

/* Each function's name in the module; C callers see the same. */
uint8_t *flat_input(void) EXPORT(input);
uint32_t flat_input_size(void) EXPORT(input_size);
uint8_t *flat_output(void) EXPORT(output);
const flat_frame *flat_frames(void) EXPORT(frames);
void flat_reset(void) EXPORT(reset);
uint32_t flat_feed(uint32_t size) EXPORT(feed);
uint32_t flat_more(void) EXPORT(more);
uint32_t flat_push(uint32_t byte) EXPORT(push);
uint32_t flat_next(void) EXPORT(next);
uint32_t flat_idle(void) EXPORT(idle);
uint32_t flat_state(void) EXPORT(state);
uint32_t flat_pending(void) EXPORT(pending);
uint32_t flat_received(void) EXPORT(received);
uint32_t flat_delivered(void) EXPORT(delivered);
uint32_t flat_count(uint32_t what) EXPORT(count);
uint32_t flat_encode(uint32_t addr, uint32_t cmd, uint32_t size) EXPORT(encode);

static flat_frame flattened(const fl_frame *frame)
{
    return (flat_frame){.data = frame->data, .size = frame->size, .addr = frame->addr, .cmd = frame->cmd};
}

static uint32_t one(const fl_frame *frame)
{
    if (frame == NULL)
        return 0;
    frames[0] = flattened(frame);
    return 1;
}

/* Where the caller puts bytes of the stream, or the data of a frame to encode. */
uint8_t *flat_input(void)
{
    return input;
}

uint32_t flat_input_size(void)
{
    return INPUT_SIZE;
}

/* Where an encoded frame is. */
uint8_t *flat_output(void)
{
    return output;
}

/* Where the frames of the last call are: address of the data, size (16 bits), addr, cmd. */
const flat_frame *flat_frames(void)
{
    return frames;
}

/* Begin anew: nothing received yet. */
void flat_reset(void)
{
    fl_receiver_init(&receiver);
    block.size = 0;
}

/* Take bytes from the input, and return how many frames there are; call `more` until it returns 0. */
uint32_t flat_feed(uint32_t size)
{
    block.bytes = input;
    block.size = size < INPUT_SIZE ? size : INPUT_SIZE;
    return flat_more();
}

/* Return how many further frames there are in the bytes of the last `feed`. */
uint32_t flat_more(void)
{
    size_t count = fl_receiver_feed(&receiver, &block, found, BATCH);
    for (size_t at = 0; at < count; at++)
        frames[at] = flattened(&found[at]);
    return (uint32_t)count;
}

/* Take one byte, and return 1 if it completes a frame; then call `next` until it returns 0. */
uint32_t flat_push(uint32_t byte)
{
    return one(fl_receiver_push(&receiver, (uint8_t)byte));
}

uint32_t flat_next(void)
{
    return one(fl_receiver_next(&receiver));
}

/* Tell that the line is silent, and return 1 if there is a frame; call it until it returns 0. */
uint32_t flat_idle(void)
{
    return one(fl_receiver_idle(&receiver));
}

/* The fl_state: header 0, address, command, length, data, check, tail 6. */
uint32_t flat_state(void)
{
    return fl_receiver_state(&receiver);
}

uint32_t flat_pending(void)
{
    return fl_receiver_pending(&receiver);
}

uint32_t flat_received(void)
{
    return fl_receiver_received(&receiver);
}

uint32_t flat_delivered(void)
{
    return receiver.ledger.delivered;
}

/* The fl_count: noise 0, length, tail, check, timeout, frames 5. */
uint32_t flat_count(uint32_t what)
{
    return what < FL_COUNTS ? receiver.ledger.count[what] : 0;
}

/* Make a frame of the first bytes of the input; return its bytes, 0 if the format cannot carry it. */
uint32_t flat_encode(uint32_t addr, uint32_t cmd, uint32_t size)
{
    if (size > INPUT_SIZE)
        return 0;
    return fl_encode(output, sizeof output, (uint8_t)addr, (uint8_t)cmd, input, size);
}
