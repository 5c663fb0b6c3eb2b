/* A device on the header that is generated from tests/vectors/schemas/everything_sequenced.toml. */
#define EVERYTHING_SEQUENCED_DEVICE
#include "everything_sequenced.h"

#define ROOM 4096U

static uint8_t sent[ROOM];
static uint32_t sent_size;
static int32_t position;
static uint32_t stops;
static everything_sequenced_parameters values;
static fl_device device;

static void send(fl_device *from, const uint8_t *frame, fl_size size)
{
    (void)from;
    if (sent_size + size <= ROOM)
        memcpy(sent + sent_size, frame, size);
    sent_size += size;
}

fl_code everything_sequenced_on_move(fl_device *self, const everything_sequenced_move_request *request,
                                     everything_sequenced_move_reply *reply, const char **text)
{
    (void)self;
    if (request->has_speed && request->speed == 0) {
        *text = FL_TEXT("too slow");
        return FL_BAD_VALUE;
    }
    position += request->steps;
    reply->position = position;
    return FL_OK;
}

fl_code everything_sequenced_on_stop(fl_device *self, const char **text)
{
    (void)self;
    (void)text;
    stops++;
    return FL_OK;
}

fl_code everything_sequenced_on_read(fl_device *self, const everything_sequenced_read_request *request,
                                     everything_sequenced_read_reply *reply, const char **text)
{
    (void)self;
    (void)text;
    reply->values_count = request->which_count;
    for (size_t n = 0; n < request->which_count; n++)
        reply->values[n] = (uint16_t)(request->which[n] << 8 | 1);
    return FL_OK;
}

void everything_sequenced_measure_moved(fl_device *self, everything_sequenced_moved_event *event)
{
    (void)self;
    event->position = position;
}

static const fl_parameter rows[] FL_FLASH = EVERYTHING_SEQUENCED_PARAMETER_TABLE(values);

static const fl_device_config config = {
    .addr = 1,
    .type = EVERYTHING_SEQUENCED_TYPE,
    .send = send,
    .commands = everything_sequenced_commands,
    .command_count = EVERYTHING_SEQUENCED_COMMAND_COUNT,
    .parameters = rows,
    .parameter_count = EVERYTHING_SEQUENCED_PARAMETER_COUNT,
    .telemetry = EVERYTHING_SEQUENCED_EVENT_MOVED,
    .measure = everything_sequenced_report_moved,
};

void bench_start(uint32_t which, uint32_t boots, uint32_t now);
void bench_step(int32_t byte, uint32_t now);
uint32_t bench_take(uint8_t *to);
uint32_t bench_stops(void);
uint32_t bench_tell(int32_t where);

void bench_start(uint32_t which, uint32_t boots, uint32_t now)
{
    (void)which;
    sent_size = 0;
    position = 0;
    stops = 0;
    values.pace = 7;
    fl_device_init(&device, &config, (uint16_t)boots, now);
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

uint32_t bench_stops(void)
{
    return stops;
}

uint32_t bench_tell(int32_t where)
{
    everything_sequenced_moved_event event = {where};
    return everything_sequenced_send_moved(&device, &event);
}
