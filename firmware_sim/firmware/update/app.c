/* Firmware that can be replaced over its line; it speaks firmware_sim/schemas/update.toml. */
#include "port.h"
#include "slots.h"

#ifndef VERSION
#define VERSION 1, 0, 0
#endif

#define UART_FR (*(volatile uint32_t *)0x4000C018U)
#define UART_BUSY (1U << 3)
#define AIRCR (*(volatile uint32_t *)0xE000ED0CU) /* the processor's application interrupt and reset control */
#define AIRCR_RESET 0x05FA0004U

enum { VERSION_COMMAND = 0x20, ACTIVATE };

static const uint8_t running_version[3] = {VERSION};
static bool restart;

static fl_code version(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    (void)request;
    const image *waiting = waiting_image();
    bool is_there = image_is_valid(waiting);
    memcpy(reply->data, running_version, 3);
    reply->data[3] = (uint8_t)record.running;
    reply->data[4] = is_there;
    memset(reply->data + 5, 0, 3);
    if (is_there)
        memcpy(reply->data + 5, waiting->version, 3);
    reply->size = 8;
    return FL_OK;
}

/* May be asked again: it names what is to run, and says yes if that runs already. */
static fl_code activate(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    (void)device;
    const image *waiting = waiting_image();
    if (image_is_valid(waiting) && memcmp(waiting->version, request->data, 3) == 0) {
        choose_waiting_image();
        restart = true;
    } else if (memcmp(running_version, request->data, 3) != 0) {
        reply->text = FL_TEXT("no firmware of that version is waiting");
        return FL_FAILED;
    }
    memcpy(reply->data, request->data, 3);
    reply->size = 3;
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

static const fl_command commands[] FL_FLASH = {
    {VERSION_COMMAND, 0, 0, version},
    {ACTIVATE, 3, 3, activate},
};

static const char name[] FL_FLASH = "updatable";
static fl_transfer transfer;
static fl_device device;

static const fl_device_config config = {
    .addr = 1,
    .firmware = {VERSION},
    .type = IMAGE_TYPE,
    .name = name,
    .send = send,
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .service = &transfer.service,
    .idle_gap = FL_IDLE_GAP(115200),
    .overruns = overruns,
};

/* Let what is under way leave, and begin anew with the loader. */
static void reset_chip(void)
{
    while ((UART_FR & UART_BUSY) != 0) {
    }
    AIRCR = AIRCR_RESET;
    for (;;) {
    }
}

int main(void)
{
    uint16_t boots = port_start();
    fl_transfer_init(&transfer, &slots, boots);
    fl_device_init(&device, &config, boots, port_millis());
    for (;;) {
        fl_device_step(&device, port_read(), port_millis());
        if (restart)
            reset_chip();
    }
}
