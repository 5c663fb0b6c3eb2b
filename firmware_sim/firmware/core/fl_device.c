/* Commands → replies, and what a device does by itself. */
#include "fl_device.h"

#include "fl_sequence.h"

#if FL_CMD_PLACE < 0
#error "a device needs a format with a command"
#endif
#if FL_MAX_DATA < 28
#error "a device needs room for the ledger: FL_MAX_DATA of 28 or more"
#endif

#define IDENTITY_SIZE 8U /* bytes of the reply to identify before the name */

static fl_code ping(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    memcpy(reply->data, request->data, request->size);
    reply->size = request->size;
    return FL_OK;
}

/* Copy as much of a text in flash as there is room for, and return its length; no text has none. */
static size_t copy_text(uint8_t *to, const char *text, size_t room)
{
    size_t length = text == NULL ? 0 : fl_flash_length(text);
    if (length > room)
        length = room;
    if (length > 0)
        fl_flash_copy(to, text, length);
    return length;
}

static fl_code identify(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)request;
    const fl_device_config *config = device->config;
    uint8_t *at = fl_put_u8(reply->data, FL_PROTOCOL_VERSION);
    at = fl_put_u16(at, device->boots);
    at = fl_put_u16(at, config->type);
    memcpy(at, config->firmware, sizeof config->firmware);
    size_t length = copy_text(at + sizeof config->firmware, config->name, FL_MAX_DATA - IDENTITY_SIZE);
    reply->size = (fl_size)(IDENTITY_SIZE + length);
    return FL_OK;
}

static uint8_t size_of(const fl_parameter *parameter)
{
    return parameter->type & 0x0FU;
}

/* Read the row of a parameter from flash. */
static bool find_parameter(const fl_device_config *config, uint8_t id, fl_parameter *found)
{
    for (uint8_t row = 0; row < config->parameter_count; row++) {
        fl_flash_copy(found, config->parameters + row, sizeof *found);
        if (found->id == id)
            return true;
    }
    return false;
}

/* Refuse as the simulated devices do: without the parameter there is no length that would be right. */
static fl_code no_such_parameter(fl_reply *reply)
{
    reply->text = FL_TEXT("no such parameter");
    return FL_BAD_LENGTH;
}

/* Write a parameter's number and value, little-endian, as the reply. */
static void tell(const fl_parameter *parameter, fl_reply *reply)
{
    uint8_t size = size_of(parameter);
    uint8_t *at = fl_put_u8(reply->data, parameter->id);
    if (size == 1)
        (void)fl_put_u8(at, *(const uint8_t *)parameter->value);
    else if (size == 2)
        (void)fl_put_u16(at, *(const uint16_t *)parameter->value);
    else
        (void)fl_put_u32(at, *(const uint32_t *)parameter->value);
    reply->size = (fl_size)(1U + size);
}

/* Return the number of a parameter's type that stands in a payload. */
static int32_t asked_value(const fl_parameter *parameter, const uint8_t *from)
{
    bool has_sign = (parameter->type & FL_SIGNED) != 0;
    switch (size_of(parameter)) {
    case 1:
        return has_sign ? (int8_t)from[0] : from[0];
    case 2:
        return has_sign ? (int16_t)fl_get_u16(from) : (int32_t)fl_get_u16(from);
    default:
        return (int32_t)fl_get_u32(from); /* an unsigned one of 2^31 or more is negative, so out of range */
    }
}

static void change(const fl_parameter *parameter, int32_t value)
{
    uint8_t size = size_of(parameter);
    if (size == 1)
        *(uint8_t *)parameter->value = (uint8_t)value;
    else if (size == 2)
        *(uint16_t *)parameter->value = (uint16_t)value;
    else
        *(uint32_t *)parameter->value = (uint32_t)value;
}

static fl_code get(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    fl_parameter parameter;
    if (!find_parameter(device->config, request->data[0], &parameter))
        return no_such_parameter(reply);
    tell(&parameter, reply);
    return FL_OK;
}

static fl_code set(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    const fl_device_config *config = device->config;
    fl_parameter parameter;
    if (!find_parameter(config, request->data[0], &parameter))
        return no_such_parameter(reply);
    if (request->size != 1U + size_of(&parameter))
        return FL_BAD_LENGTH;
    int32_t value = asked_value(&parameter, request->data + 1);
    if (value < parameter.min || value > parameter.max) {
        reply->text = FL_TEXT("out of range");
        return FL_BAD_VALUE;
    }
    fl_code code = config->allow == NULL ? FL_OK : config->allow(device, parameter.id, value, reply);
    if (code == FL_OK) {
        change(&parameter, value);
        tell(&parameter, reply);
    }
    return code;
}

static void set_period(fl_device *device, uint16_t period)
{
    device->period = period != 0 && period < FL_MIN_PERIOD ? FL_MIN_PERIOD : period;
    device->report_at = device->now + device->period;
}

static fl_code telemetry(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    if (device->config->measure == NULL) {
        reply->text = FL_TEXT("nothing to report");
        return FL_NOT_PERMITTED;
    }
    set_period(device, fl_get_u16(request->data));
    (void)fl_put_u16(reply->data, device->period);
    reply->size = 2;
    return FL_OK;
}

static fl_code ledger(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)request;
    const uint32_t *count = device->receiver.ledger.count;
    uint8_t *at = fl_put_u32(reply->data, count[FL_COUNT_FRAMES]);
    for (uint8_t reason = 0; reason < FL_REASONS; reason++)
        at = fl_put_u32(at, count[reason]);
    at = fl_put_u32(at, device->config->overruns == NULL ? 0 : device->config->overruns(device));
    reply->size = (fl_size)(at - reply->data);
    return FL_OK;
}

static const fl_command standard[] FL_FLASH = {
    {FL_PING, 0, FL_MAX_DATA, ping},
    {FL_IDENTIFY, 0, 0, identify},
    {FL_GET, 1, 1, get},
    {FL_SET, 1, FL_MAX_DATA, set},
    {FL_TELEMETRY, 2, 2, telemetry},
    {FL_LEDGER, 0, 0, ledger},
};

/* Read the row of a command from flash. */
static bool find_command(const fl_command *commands, uint8_t count, uint8_t cmd, fl_command *found)
{
    for (uint8_t row = 0; row < count; row++) {
        fl_flash_copy(found, commands + row, sizeof *found);
        if (found->cmd == cmd)
            return true;
    }
    return false;
}

static bool find_service_command(const fl_service *service, uint8_t cmd, fl_command *found)
{
    return service != NULL && find_command(service->commands, service->command_count, cmd, found);
}

static fl_code carry_out(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    const fl_device_config *config = device->config;
    fl_command command;
    if (!find_command(config->commands, config->command_count, request->cmd, &command) &&
        !find_service_command(config->service, request->cmd, &command) &&
        !find_command(standard, sizeof standard / sizeof *standard, request->cmd, &command)) {
        reply->text = FL_TEXT("unknown command");
        return FL_UNKNOWN_COMMAND;
    }
    if (request->size < command.min || request->size > command.max)
        return FL_BAD_LENGTH;
    return command.handle(device, request, reply);
}

/* Make the data of a negative reply in `out`, and return how many bytes there are. */
static size_t refuse(fl_device *device, uint8_t cmd, uint8_t number, const char *text, fl_code code)
{
    uint8_t *data = device->out + FL_HEAD_SIZE;
    uint8_t *at = fl_put_u8(fl_put_u8(data, cmd), (uint8_t)code);
    if (fl_is_sequenced(cmd))
        at = fl_put_u8(at, number);
    size_t head = (size_t)(at - data);
    return head + copy_text(at, text, FL_MAX_DATA - head);
}

/* Close the frame whose data stand in `out` already and send it.  Returns its bytes, 0 if the format cannot
 * carry it. */
static fl_size transmit(fl_device *device, uint8_t cmd, size_t size)
{
    fl_size whole = fl_seal(device->out, device->config->addr, cmd, size);
    if (whole != 0)
        device->config->send(device, device->out, whole);
    return whole;
}

/* Carry a request out, or see that it lacks its sequence byte, and make the answer's data in `out`.
 * Returns the command that answers, and the bytes of its data. */
static uint8_t respond(fl_device *device, const fl_frame *request, uint8_t number, size_t *size)
{
    fl_frame room;
    uint8_t cmd = request->cmd, *data = device->out + FL_HEAD_SIZE;
    uint8_t extra = fl_is_sequenced(cmd) ? 1 : 0;
    if (extra != 0)
        *data = number;
    fl_reply reply = {data + extra, 0, NULL};
    device->building = true;
    fl_code code = FL_BAD_LENGTH;
    if (request->size >= extra)
        code = carry_out(device, fl_unnumbered(request, &room), &reply);
    device->building = false;
    *size = code == FL_OK ? (size_t)extra + reply.size : refuse(device, cmd, number, reply.text, code);
    return (code == FL_OK ? cmd : FL_REFUSAL) | FL_REPLY;
}

static void answer(fl_device *device, const fl_frame *request)
{
    bool is_for_all = FL_ADDR_PLACE >= 0 && request->addr == FL_BROADCAST;
    uint8_t cmd = request->cmd, number = fl_number(request);
    if (!is_for_all && fl_answered_before(device, cmd, number))
        return;
    size_t size;
    uint8_t reply_cmd = respond(device, request, number, &size);
    if (is_for_all)
        return; /* all devices would answer at once */
    if (reply_cmd == (FL_IDENTIFY | FL_REPLY))
        fl_forget(device);
    fl_size whole = transmit(device, reply_cmd, size);
    if (whole != 0)
        fl_keep(device, cmd, number, whole);
}

static void answer_if_asked(fl_device *device, const fl_frame *frame)
{
    uint8_t addr = device->config->addr;
    bool addressed = FL_ADDR_PLACE < 0 || frame->addr == addr || frame->addr == FL_BROADCAST;
    if (addressed && (frame->cmd & FL_REPLY) == 0)
        answer(device, frame);
}

static void hear(fl_device *device, uint8_t byte)
{
    fl_receiver *receiver = &device->receiver;
    device->heard_at = device->now;
    const fl_frame *frame = fl_receiver_push(receiver, byte);
    for (; frame != NULL; frame = fl_receiver_next(receiver))
        answer_if_asked(device, frame);
}

static void notice_silence(fl_device *device)
{
    fl_receiver *receiver = &device->receiver;
    uint16_t gap = device->config->idle_gap == 0 ? FL_SHORTEST_GAP : device->config->idle_gap;
    /* The byte may have come at the end of its ms, so a difference of `gap` is up to one ms less. */
    if (fl_receiver_pending(receiver) == 0 || device->now - device->heard_at <= gap)
        return;
    const fl_frame *frame = fl_receiver_idle(receiver);
    for (; frame != NULL; frame = fl_receiver_idle(receiver))
        answer_if_asked(device, frame);
}

static void report_if_due(fl_device *device)
{
    if (device->period == 0 || (int32_t)(device->now - device->report_at) < 0)
        return;
    /* A late step is no reason for a burst: reports that were missed are not made up for. */
    uint32_t soonest = device->now + device->period / 2;
    device->report_at += device->period;
    if ((int32_t)(device->report_at - soonest) < 0)
        device->report_at = soonest;
    device->building = true;
    fl_size size = device->config->measure(device, device->out + FL_HEAD_SIZE);
    device->building = false;
    (void)transmit(device, device->config->telemetry, size);
}

void fl_device_init(fl_device *device, const fl_device_config *config, uint16_t boots, uint32_t now)
{
    device->config = config;
    device->boots = boots;
    device->building = false;
    device->now = device->heard_at = now;
    fl_receiver_init(&device->receiver);
    fl_forget(device);
    set_period(device, config->measure == NULL ? 0 : config->period);
}

void fl_device_step(fl_device *device, int byte, uint32_t now)
{
    device->now = now;
    if (byte >= 0)
        hear(device, (uint8_t)byte);
    else
        notice_silence(device);
    report_if_due(device);
}

bool fl_device_event(fl_device *device, uint8_t cmd, const uint8_t *data, size_t size)
{
    if (device->building || size > FL_MAX_DATA)
        return false;
    if (size > 0)
        memcpy(device->out + FL_HEAD_SIZE, data, size);
    return transmit(device, cmd, size) != 0;
}
