/* A device for tests: parameters of every type, handlers of every kind, and a ring.  What it sends piles up
 * until the test takes it. */
#include "fl_device.h"
#include "fl_ring.h"

#define ROOM 65536U

enum { REVERSED = 0x30, TOO_MANY_WORDS, EVENT_INSIDE, NO_WORDS, TOO_LONG_A_REPLY, CLEAR_FAULT = 0x21, JOG = 0x23 };

static uint8_t sent[ROOM];
static uint32_t sent_size;
static fl_ring ring;
static int16_t setpoint;
static uint8_t load;
static uint32_t serial;
static int8_t trim;
static uint16_t ceiling;
static int32_t offset;
static int32_t position;
static uint32_t jogs;
static bool jammed;

static fl_code reversed(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    for (fl_size at = 0; at < request->size; at++)
        reply->data[at] = request->data[request->size - 1 - at];
    reply->size = request->size;
    return FL_OK;
}

static fl_code too_many_words(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    (void)request;
    reply->text = FL_TEXT("a text of more characters than the largest payload of this device can ever carry");
    return FL_FAILED;
}

static fl_code event_inside(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)request;
    reply->data[0] = fl_device_event(device, 0x40, NULL, 0);
    reply->size = 1;
    return FL_OK;
}

static fl_code no_words(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    (void)request;
    (void)reply;
    return FL_NOT_PERMITTED;
}

static fl_code too_long_a_reply(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    (void)request;
    reply->size = FL_MAX_DATA + 1;
    return FL_OK;
}

static fl_code nothing_to_clear(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    (void)request;
    reply->data[0] = 0;
    reply->size = 1;
    return FL_OK;
}

static fl_code jog(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    if (jammed) {
        reply->text = FL_TEXT("jammed");
        return FL_BUSY;
    }
    position += (int16_t)fl_get_u16(request->data);
    uint8_t *at = fl_put_u32(reply->data, (uint32_t)position);
    reply->size = (fl_size)(fl_put_u32(at, ++jogs) - reply->data);
    return FL_OK;
}

static const fl_command commands[] FL_FLASH = {
    {CLEAR_FAULT, 0, 0, nothing_to_clear},
    {JOG, 2, 2, jog},
    {REVERSED, 1, 4, reversed},
    {TOO_MANY_WORDS, 0, 0, too_many_words},
    {EVENT_INSIDE, 0, 0, event_inside},
    {NO_WORDS, 0, 0, no_words},
    {TOO_LONG_A_REPLY, 0, 0, too_long_a_reply},
};
static const fl_command instead_of_ping[] FL_FLASH = {{FL_PING, 0, FL_MAX_DATA, reversed}};

static const fl_parameter parameters[] FL_FLASH = {
    {1, FL_I16, &setpoint, -6000, 6000},
    {2, FL_U8, &load, 0, 100},
    {103, FL_U32, &serial, 0, INT32_MAX},
    {104, FL_I8, &trim, -5, 5},
    {105, FL_U16, &ceiling, 0, 65535},
    {106, FL_I32, &offset, INT32_MIN, INT32_MAX},
};

static void send(fl_device *device, const uint8_t *frame, fl_size size)
{
    (void)device;
    if (sent_size + size <= ROOM)
        memcpy(sent + sent_size, frame, size);
    sent_size += size;
}

static fl_code allow(fl_device *device, uint8_t parameter, int32_t value, fl_reply *reply)
{
    (void)device;
    if (parameter != 1 || value != 13)
        return FL_OK;
    reply->text = FL_TEXT("unlucky");
    return FL_BUSY;
}

static fl_size measure(fl_device *device, uint8_t *data)
{
    *data = fl_device_event(device, 0x40, NULL, 0) ? 0xEE : 7;
    return 1;
}

static uint32_t overruns(fl_device *device)
{
    (void)device;
    return fl_ring_overruns(&ring);
}

static const char name[] FL_FLASH =
    "a device with a name of more characters than the reply to identify has room for";

static const fl_device_config full = {
    .addr = 1,
    .firmware = {1, 2, 3},
    .type = 0x0102,
    .name = name,
    .send = send,
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .allow = allow,
    .telemetry = 0x20,
    .measure = measure,
    .overruns = overruns,
};
static const fl_device_config reporting = {
    .addr = 1, .send = send, .telemetry = 0x20, .period = 500, .measure = measure};
static const fl_device_config smallest = {.addr = 9, .send = send, .idle_gap = FL_IDLE_GAP(300)};
static const fl_device_config replaced = {
    .addr = 1, .send = send, .commands = instead_of_ping, .command_count = 1};

static const fl_device_config *const configs[] = {&full, &reporting, &smallest, &replaced};
static fl_device device;

void bench_start(uint32_t config, uint32_t boots, uint32_t now);
void bench_step(int32_t byte, uint32_t now);
uint32_t bench_take(uint8_t *to);
uint32_t bench_event(uint32_t cmd, const uint8_t *data, uint32_t size);
void bench_jam(uint32_t jam);
void bench_put(uint32_t byte);
void bench_lose(void);
int32_t bench_get(void);
uint32_t bench_overruns(void);

void bench_start(uint32_t config, uint32_t boots, uint32_t now)
{
    sent_size = 0;
    setpoint = 1200;
    load = 30;
    position = 0;
    jogs = 0;
    jammed = false;
    fl_ring_init(&ring);
    fl_device_init(&device, configs[config], (uint16_t)boots, now);
}

void bench_step(int32_t byte, uint32_t now)
{
    fl_device_step(&device, byte, now);
}

uint32_t bench_take(uint8_t *to)
{
    uint32_t size = sent_size;
    memcpy(to, sent, size <= ROOM ? size : ROOM);
    sent_size = 0;
    return size;
}

uint32_t bench_event(uint32_t cmd, const uint8_t *data, uint32_t size)
{
    return fl_device_event(&device, (uint8_t)cmd, data, size);
}

void bench_jam(uint32_t jam)
{
    jammed = jam != 0;
}

void bench_put(uint32_t byte)
{
    fl_ring_put(&ring, (uint8_t)byte);
}

void bench_lose(void)
{
    fl_ring_lose(&ring);
}

int32_t bench_get(void)
{
    return fl_ring_get(&ring);
}

uint32_t bench_overruns(void)
{
    return fl_ring_overruns(&ring);
}
