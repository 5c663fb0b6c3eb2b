/* The demo: a motor controller that speaks firmware_sim/schemas/motor.toml; one source for every board.
 *
 * motor.h is made from that schema when the demo is built: `framelink codegen c` writes the same. */
#define MOTOR_DEVICE
#include "motor.h"

#include "port.h"
#include "storage.h"

#ifndef DEMO_NAME
#define DEMO_NAME "motor"
#endif
#ifndef DEMO_ADDR
#define DEMO_ADDR 1
#endif
#ifndef DEMO_PERIOD
#define DEMO_PERIOD 200 /* ms between reports from power-up */
#endif

#define STEP_MS 10
#define INERTIA_MS 800
#define IDLE_MA 180
#define TRIP_MA 5500
#define TURNING_RPM 50 /* above it the rotor counts as turning */
#define FRACTION 256   /* of a rpm, so that the speed reaches its set-point */

typedef struct motor {
    int32_t speed;     /* in 1/FRACTION rpm */
    uint32_t position; /* of the positioner, in steps; it goes round and round */
    uint32_t jogs;
    uint8_t fault;
    bool trip_untold;
    uint16_t dice;
    uint32_t stepped_at;
} motor;

static motor rotor = {.dice = 1};
static motor_parameters settings = {.setpoint = 1200, .load = 30};

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
    if (rotor.fault != MOTOR_FAULT_NONE)
        return 0;
    int32_t speed = magnitude(rpm());
    int32_t effort = magnitude(settings.setpoint - rpm()) / 3 + speed * (20 + settings.load) / 120;
    return (uint16_t)(IDLE_MA + effort);
}

/* Turn for one step. */
static void turn(void)
{
    int32_t target = rotor.fault == MOTOR_FAULT_NONE ? (int32_t)settings.setpoint * FRACTION : 0;
    rotor.speed += (target - rotor.speed) * STEP_MS / INERTIA_MS;
    if (rotor.fault == MOTOR_FAULT_NONE && current() > TRIP_MA) {
        rotor.fault = MOTOR_FAULT_OVERCURRENT;
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

void motor_measure_motor(fl_device *device, motor_motor_event *event)
{
    (void)device;
    event->speed = (int16_t)(rpm() + noise());
    event->setpoint = settings.setpoint;
    event->current = current();
    event->fault = rotor.fault;
}

fl_code motor_on_clear_fault(fl_device *device, motor_clear_fault_reply *reply, const char **text)
{
    (void)device;
    if (rotor.fault != MOTOR_FAULT_NONE && magnitude(rpm()) > TURNING_RPM) {
        *text = FL_TEXT("the rotor still turns");
        return FL_BUSY;
    }
    reply->cleared = rotor.fault != MOTOR_FAULT_NONE;
    rotor.fault = MOTOR_FAULT_NONE;
    return FL_OK;
}

fl_code motor_on_jog(fl_device *device, const motor_jog_request *request, motor_jog_reply *reply, const char **text)
{
    (void)device;
    (void)text;
    int32_t steps = request->steps;
    rotor.position += (uint32_t)steps; /* as a sum of unsigned numbers it may wrap around */
    rotor.jogs++;
    reply->position = (int32_t)rotor.position;
    reply->jogs = rotor.jogs;
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

static const fl_parameter parameters[] FL_FLASH = MOTOR_PARAMETER_TABLE(settings);

static const fl_device_config config = {
    .addr = DEMO_ADDR,
    .firmware = {1, 0, 0},
    .type = MOTOR_TYPE,
    .name = name,
    .send = send,
    .commands = motor_commands,
    .command_count = MOTOR_COMMAND_COUNT,
    .parameters = parameters,
    .parameter_count = MOTOR_PARAMETER_COUNT,
    .telemetry = MOTOR_EVENT_MOTOR,
    .period = DEMO_PERIOD,
    .measure = motor_report_motor,
    .idle_gap = FL_IDLE_GAP(115200),
    .overruns = overruns,
    .service = &files.service,
};

static fl_device device;

static void tell_trip(void)
{
    motor_tripped_event event = {rotor.fault};
    if (rotor.trip_untold && motor_send_tripped(&device, &event))
        rotor.trip_untold = false;
}

int main(void)
{
    uint16_t boots = port_start();
    storage_start(boots);
    fl_device_init(&device, &config, boots, port_millis());
    for (;;) {
        int byte = port_read();
        uint32_t now = port_millis();
        fl_device_step(&device, byte, now);
        run_motor(now);
        tell_trip();
    }
}
