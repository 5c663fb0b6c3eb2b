/* The fuzz target of the device and its files: whatever is asked, it answers in whole frames, stays within
 * its memory (which the sanitizers watch), and carries no numbered request out twice.
 *
 * An input is a series of steps, see `step`.
 */
#include <string.h>

#include "fuzz_run.h"
#include "port.h"
#include "storage.h"

#define KEPT 1024U
#define COUNTER 0x21U /* a command that counts how often it is carried out */

enum { TO_WRITE = 1, NEW_BOOT = 0xFF, SILENCE = 0xFE, RAW = 0xFD };

/* What is left of the input. */
typedef struct tape {
    const uint8_t *at;
    size_t left;
} tape;

static uint8_t *memory; /* of exactly KEPT bytes, so that one byte beyond is noticed */
static fl_device device;
static fl_receiver host;
static uint8_t handle;      /* that the last reply to file_open told */
static uint8_t last_number; /* of the last numbered request that was answered, 0 if none was */
static uint8_t last_cmd;
static uint32_t now, carried_out;

void *port_kept(size_t *size)
{
    *size = KEPT;
    return memory;
}

static fl_code count(fl_device *from, const fl_frame *request, fl_reply *reply)
{
    (void)from;
    (void)request;
    reply->size = (fl_size)(fl_put_u32(reply->data, ++carried_out) - reply->data);
    return FL_OK;
}

/* The host: all that is sent is one whole frame of the device's. */
static void send(fl_device *from, const uint8_t *frame, fl_size size)
{
    const fl_frame *heard = NULL;
    for (fl_size at = 0; at < size; at++) {
        require(heard == NULL, "a frame ends where it is said to end");
        heard = fl_receiver_push(&host, frame[at]);
    }
    require(heard != NULL && heard->addr == from->config->addr, "what is sent is a frame of the device");
    if (heard != NULL && heard->cmd == (FL_FILE_OPEN | FL_REPLY))
        handle = heard->data[0];
}

static fl_size measure(fl_device *from, uint8_t *data)
{
    (void)from;
    return (fl_size)(fl_put_u32(data, carried_out) - data);
}

static uint16_t setpoint;
static const fl_command commands[] = {{COUNTER, 0, 4, count}};
static const fl_parameter parameters[] = {{1, FL_U16, &setpoint, 0, 6000}};
static const fl_device_config config = {
    .addr = 1,
    .send = send,
    .commands = commands,
    .command_count = 1,
    .parameters = parameters,
    .parameter_count = 1,
    .service = &files.service,
    .telemetry = 0x20,
    .measure = measure,
};

static uint8_t take(tape *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static void hear(const uint8_t *bytes, size_t size)
{
    for (; size > 0; size--)
        fl_device_step(&device, *bytes++, ++now);
}

/* Tell whether a request to the device has a number. */
static bool is_numbered(uint8_t addr, uint8_t cmd, const uint8_t *data, size_t size)
{
    return FL_SEQUENCED && addr == config.addr && cmd >= 0x20 && cmd < 0x60 && size > 0 && data[0] != 0;
}

static void ask(uint8_t addr, uint8_t cmd, const uint8_t *data, size_t size)
{
    uint8_t frame[FL_FRAME_MAX];
    uint32_t acted = carried_out;
    bool numbered = is_numbered(addr, cmd, data, size);
    bool is_repeat = numbered && data[0] == last_number && cmd == last_cmd;
    fl_size whole = fl_encode(frame, sizeof frame, addr, cmd, data, size);
    require(whole != 0, "a request can be encoded");
    hear(frame, whole);
    require(!is_repeat || carried_out == acted, "a repeat is not carried out");
    if (numbered) {
        last_number = data[0];
        last_cmd = cmd;
    } else if (cmd == FL_IDENTIFY && addr == config.addr && size == 0) {
        last_number = 0;
    }
}

/* Put what most steps of a transfer need in its place: the handle, a block's offset. */
static size_t aim(uint8_t cmd, uint8_t *data, size_t size, uint8_t block)
{
    if (cmd == FL_FILE_OPEN && size > 9) {
        data[0] &= TO_WRITE;
        data[2] = data[3] = data[4] = 0; /* of the size: what there may be room for */
    }
    if (cmd == FL_FILE_OPEN || size == 0)
        return size;
    data[0] = handle;
    if (size > 4)
        (void)fl_put_u32(data + 1, (uint32_t)block * FL_BLOCK_MAX);
    return cmd == FL_FILE_WRITE && size > 4 ? FL_BLOCK_MAX + 5U : size;
}

/* One step: what, how long, and then its bytes. */
static void step(tape *input)
{
    static const uint8_t asked[16] = {FL_FILE_OPEN,  FL_FILE_WRITE, FL_FILE_WRITE, FL_FILE_READ,
                                      FL_FILE_CLOSE, FL_FILE_LIST,  COUNTER,       COUNTER,
                                      FL_PING,       FL_IDENTIFY,   FL_GET,        FL_SET,
                                      FL_TELEMETRY,  FL_LEDGER,     0x55,          0x7E};
    uint8_t data[FL_MAX_DATA] = {0}, what = take(input);
    size_t size = take(input) % (FL_MAX_DATA + 1U);
    for (size_t at = 0; at < size; at++)
        data[at] = take(input);
    if (what == NEW_BOOT) {
        storage_start((uint16_t)size);
        fl_device_init(&device, &config, (uint16_t)size, now);
        last_number = 0;
    } else if (what == SILENCE) {
        now += 100;
        fl_device_step(&device, -1, now);
    } else if (what == RAW) {
        hear(data, size);
        last_number = 0; /* it may have been anything */
    } else {
        uint8_t cmd = asked[what & 15U];
        bool is_aimed = (what & 0x60U) != 0 && cmd >= FL_FILE_OPEN && cmd <= FL_FILE_CLOSE;
        if (is_aimed)
            size = aim(cmd, data, size, data[0] & 15U);
        ask(what & 0x80U ? config.addr : FL_BROADCAST, cmd, data, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tape input = {data, size};
    memory = malloc(KEPT);
    require(memory != NULL, "there is memory");
    memset(memory, 0x55, KEPT);
    now = carried_out = 0;
    last_number = 0;
    fl_receiver_init(&host);
    storage_start(0);
    fl_device_init(&device, &config, 0, now);
    while (input.left > 0)
        step(&input);
    require(host.ledger.delivered == fl_receiver_received(&host), "the host has heard nothing but frames");
    free(memory);
    return 0;
}

size_t fuzz_invent(uint32_t *state, uint8_t *input)
{
    size_t size = fuzz_random(state) % FUZZ_LONGEST;
    for (size_t at = 0; at < size; at++)
        input[at] = (uint8_t)(fuzz_random(state) >> 8);
    return size;
}
