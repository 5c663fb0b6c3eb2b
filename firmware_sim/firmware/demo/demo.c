/* The demo: a motor controller that speaks firmware_sim/schemas/motor.toml; one source for every board. */
#include "fl_device.h"
#include "port.h"

#ifndef DEMO_NAME
#define DEMO_NAME "motor"
#endif
#ifndef DEMO_ADDR
#define DEMO_ADDR 1
#endif
#ifndef DEMO_PERIOD
#define DEMO_PERIOD 200 /* ms between reports from power-up */
#endif

enum { MOTOR = 0x20, CLEAR_FAULT = 0x21, TRIPPED = 0x22 }; /* commands and events */
enum { SETPOINT = 1, LOAD = 2 };                           /* parameters */
enum { NO_FAULT, OVERCURRENT };

#define STEP_MS 10
#define INERTIA_MS 800
#define IDLE_MA 180
#define TRIP_MA 5500
#define TURNING_RPM 50 /* above it the rotor counts as turning */
#define FRACTION 256   /* of a rpm, so that the speed reaches its set-point */

typedef struct motor {
    int32_t speed; /* in 1/FRACTION rpm */
    int16_t setpoint;
    uint8_t load; /* percent */
    uint8_t fault;
    bool trip_untold;
    uint16_t dice;
    uint32_t stepped_at;
} motor;

static motor rotor = {.setpoint = 1200, .load = 30, .dice = 1};

static int16_t rpm(void)
{
    return (int16_t)(rotor.speed / FRACTION);
}

static int32_t magnitude(int32_t number)
{
    return number < 0 ? -number : number;
}

/* Return a pseudo-random number from -2 to 2, as a sensor's noise looks (xorshift, Marsaglia 2003). */
static int16_t noise(void)
{
    rotor.dice ^= (uint16_t)(rotor.dice << 7);
    rotor.dice ^= (uint16_t)(rotor.dice >> 9);
    rotor.dice ^= (uint16_t)(rotor.dice << 8);
    return (int16_t)((int16_t)(rotor.dice % 5U) - 2);
}

/* Return the current in mA: for idling, for getting faster or slower, for turning against the brake. */
static uint16_t current(void)
{
    if (rotor.fault != NO_FAULT)
        return 0;
    int32_t speed = magnitude(rpm());
    int32_t effort = magnitude(rotor.setpoint - rpm()) / 3 + speed * (20 + rotor.load) / 120;
    return (uint16_t)(IDLE_MA + effort);
}

/* Turn for one step. */
static void turn(void)
{
    int32_t target = rotor.fault == NO_FAULT ? (int32_t)rotor.setpoint * FRACTION : 0;
    rotor.speed += (target - rotor.speed) * STEP_MS / INERTIA_MS;
    if (rotor.fault == NO_FAULT && current() > TRIP_MA) {
        rotor.fault = OVERCURRENT;
        rotor.trip_untold = true;
    }
}

static void run_motor(uint32_t now)
{
    if (now - rotor.stepped_at > 10U * STEP_MS)
        rotor.stepped_at = now - STEP_MS; /* after a stall the motor goes on, it does not catch up */
    while (now - rotor.stepped_at >= STEP_MS) {
        rotor.stepped_at += STEP_MS;
        turn();
    }
}

static fl_size measure(fl_device *device, uint8_t *data)
{
    (void)device;
    uint8_t *at = fl_put_u16(data, (uint16_t)(rpm() + noise()));
    at = fl_put_u16(at, (uint16_t)rotor.setpoint);
    at = fl_put_u16(at, current());
    at = fl_put_u8(at, rotor.fault);
    return (fl_size)(at - data);
}

static fl_code clear_fault(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    (void)request;
    if (rotor.fault != NO_FAULT && magnitude(rpm()) > TURNING_RPM) {
        reply->text = FL_TEXT("the rotor still turns");
        return FL_BUSY;
    }
    reply->data[0] = rotor.fault != NO_FAULT;
    reply->size = 1;
    rotor.fault = NO_FAULT;
    return FL_OK;
}

static void send(fl_device *device, const uint8_t *frame, fl_size size)
{
    (void)device;
    port_write(frame, size);
}

static uint32_t overruns(fl_device *device)
{
    (void)device;
    return port_overruns();
}

static const char name[] FL_FLASH = DEMO_NAME;

static const fl_command commands[] FL_FLASH = {
    {CLEAR_FAULT, 0, 0, clear_fault},
};

static const fl_parameter parameters[] FL_FLASH = {
    {SETPOINT, FL_I16, &rotor.setpoint, -6000, 6000},
    {LOAD, FL_U8, &rotor.load, 0, 100},
};

static const fl_device_config config = {
    .addr = DEMO_ADDR,
    .firmware = {1, 0, 0},
    .type = 0x0102,
    .name = name,
    .send = send,
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .telemetry = MOTOR,
    .period = DEMO_PERIOD,
    .measure = measure,
    .idle_gap = FL_IDLE_GAP(115200),
    .overruns = overruns,
};

static fl_device device;

int main(void)
{
    uint16_t boots = port_start();
    fl_device_init(&device, &config, boots, port_millis());
    for (;;) {
        int byte = port_read();
        uint32_t now = port_millis();
        fl_device_step(&device, byte, now);
        run_motor(now);
        if (rotor.trip_untold && fl_device_event(&device, TRIPPED, &rotor.fault, 1))
            rotor.trip_untold = false;
    }
}
