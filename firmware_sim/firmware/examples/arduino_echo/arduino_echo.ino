/* A framelink device as an Arduino sketch: it answers ping and identify, echoes what it is told, switches the
 * LED by a parameter, and reports an analogue input.  Copy the fl_*.h and fl_*.c of the core, without
 * fl_feed, beside this file.
 *
 * In another terminal:   framelink request /dev/ttyACM0 --addr 1 --cmd 0x30 --data 68656c6c6f
 */
#include "fl_device.h"

static const uint8_t ECHO = 0x30;   /* a command of this device's own */
static const uint8_t LEVEL = 0x20;  /* the event that reports */
static const uint8_t LED = 1;       /* a parameter */

static fl_device device;
static uint8_t led;

static fl_code echo(fl_device *, const fl_frame *request, fl_reply *reply)
{
    memcpy(reply->data, request->data, request->size);
    reply->size = request->size;
    return FL_OK;
}

static fl_size measure(fl_device *, uint8_t *data)
{
    fl_put_u16(data, (uint16_t)analogRead(A0));
    return 2;
}

static void send(fl_device *, const uint8_t *frame, fl_size size)
{
    Serial.write(frame, size);
}

static const char name[] FL_FLASH = "arduino";
static const fl_command commands[] FL_FLASH = {{ECHO, 1, FL_MAX_DATA, echo}};
static const fl_parameter parameters[] FL_FLASH = {{LED, FL_U8, &led, 0, 1}};

void setup()
{
    static fl_device_config config;
    config.addr = 1;
    config.name = name;
    config.send = send;
    config.commands = commands;
    config.command_count = 1;
    config.parameters = parameters;
    config.parameter_count = 1;
    config.telemetry = LEVEL;
    config.measure = measure;
    Serial.begin(115200);
    pinMode(LED_BUILTIN, OUTPUT);
    fl_device_init(&device, &config, 0, millis());
}

void loop()
{
    fl_device_step(&device, Serial.read(), millis());
    digitalWrite(LED_BUILTIN, led);
}
