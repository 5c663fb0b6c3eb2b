/* A program with a device and its files, and nothing else: what it contains of each is what that costs. */
#include "fl_transfer.h"

fl_device device;
fl_transfer transfer;
volatile uint8_t line;
int16_t setpoint;

static void send(fl_device *from, const uint8_t *frame, fl_size size)
{
    (void)from;
    for (fl_size at = 0; at < size; at++)
        line = frame[at];
}

static const fl_storage nowhere; /* its functions cost what yours do */
static const fl_parameter parameters[] FL_FLASH = {{1, FL_I16, &setpoint, -6000, 6000}};
static const fl_device_config config = {
    .addr = 1, .send = send, .parameters = parameters, .parameter_count = 1, .service = &transfer.service};

int main(void)
{
    fl_transfer_init(&transfer, &nowhere, line);
    fl_device_init(&device, &config, line, line);
    for (;;) {
        fl_device_step(&device, line, line);
        line = fl_device_event(&device, line, NULL, 0);
    }
}
