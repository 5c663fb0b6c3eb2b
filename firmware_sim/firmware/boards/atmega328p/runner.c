/* Runs firmware for the ATmega328P under simavr, in real time, with its UART on a pseudo-terminal.
 *
 *     runner [--unpaced] FIRMWARE.elf
 *
 * It says and obeys what host/line.h says.  The line has 115,200 baud: bytes reach the chip no faster, since
 * a ring that is read too slowly must overrun here as it does on a desk.  --unpaced lets the chip's time run
 * as fast as this computer can; the line is then as fast, by the chip's own clock.
 */
#define _XOPEN_SOURCE 700

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#include "line.h"

#define CHIP "atmega328p"
#define FREQUENCY 16000000U
#define BYTE_CYCLES (FREQUENCY * 10U / 115200U) /* between two bytes of the host: 8N1 */
#define SLICE_NS 250000U /* how far the chip runs ahead; bytes wait as long at most */
#define SLICE_CYCLES (SLICE_NS / 1000U * (FREQUENCY / 1000000U))
#define MAX_LAG_NS 100000000U /* what a busy computer owes the chip beyond this is not caught up with */
#define LISTENS_WITHIN_NS 2000000000U /* of the chip's time, which then runs as fast as it can */
#define NS_PER_CYCLE_NUMERATOR 125U
#define NS_PER_CYCLE_DENOMINATOR 2U /* 62.5 ns at 16 MHz */

/* What happens between the chip and its line. */
typedef struct board {
    line host;
    avr_t *chip;
    avr_uart_t *uart;
    avr_irq_t *input;
    uint8_t down[256]; /* bytes from the host that are still to cross the line */
    size_t down_used, down_taken;
    uint8_t up[256]; /* bytes that the chip has sent in this slice */
    size_t up_used;
    bool idle;                     /* whether nothing is on the line from the host */
    avr_cycle_count_t byte_cycles; /* what we have told simavr's UART that a byte takes */
} board;

static uint64_t ns_of(avr_cycle_count_t cycles)
{
    return cycles * NS_PER_CYCLE_NUMERATOR / NS_PER_CYCLE_DENOMINATOR;
}

/* simavr counts a parity bit in every byte, so its bytes take 11 bits where 8N1 has 10. */
static void correct_byte_time(board *one)
{
    if (one->uart->cycles_per_byte != one->byte_cycles)
        one->byte_cycles = one->uart->cycles_per_byte = one->uart->cycles_per_byte * 10 / 11;
}

/* Let the next byte of the host begin to arrive.  The timer also runs while there is none, since a sleeping
 * chip jumps to the next timer, which must not lie beyond the slice. */
static avr_cycle_count_t clock_byte(avr_t *chip, avr_cycle_count_t when, void *param)
{
    board *one = param;
    (void)chip;
    correct_byte_time(one);
    one->idle = one->down_taken == one->down_used;
    if (one->idle)
        return when + SLICE_CYCLES;
    avr_raise_irq(one->input, one->down[one->down_taken++]);
    return when + BYTE_CYCLES;
}

static void take_byte(avr_irq_t *irq, uint32_t value, void *param)
{
    board *one = param;
    (void)irq;
    if (one->up_used < sizeof one->up)
        one->up[one->up_used++] = (uint8_t)value;
    else
        one->host.dropped++;
}

/* Begin to serve the UART; a reset of the chip forgets all timers. */
static void start_clock(board *one)
{
    one->byte_cycles = 0;
    avr_cycle_timer_register(one->chip, BYTE_CYCLES, clock_byte, one);
}

/* The chip's time is ours, see run: it does not sleep by itself. */
static void do_not_sleep(avr_t *chip, avr_cycle_count_t cycles)
{
    (void)chip;
    (void)cycles;
}

/* Messages of the simulator are no results. */
static void log_to_stderr(avr_t *chip, const int level, const char *format, va_list values)
{
    (void)chip;
    if (level <= LOG_ERROR)
        (void)vfprintf(stderr, format, values);
}

static avr_uart_t *find_uart(avr_t *chip)
{
    avr_io_t *module = chip->io_port;
    while (module != NULL && (strcmp(module->kind, "uart") != 0 || ((avr_uart_t *)module)->name != '0'))
        module = module->next;
    return (avr_uart_t *)module;
}

static void load(board *one, const char *path)
{
    elf_firmware_t firmware = {.frequency = FREQUENCY};
    avr_global_logger_set(log_to_stderr);
    one->chip = avr_make_mcu_by_name(CHIP);
    if (one->chip == NULL || elf_read_firmware(path, &firmware) != 0) {
        (void)fprintf(stderr, "%s: no firmware for the " CHIP "\n", path);
        exit(1);
    }
    (void)avr_init(one->chip);
    avr_load_firmware(one->chip, &firmware);
    one->chip->frequency = FREQUENCY; /* whatever the firmware says of it */
    one->chip->sleep = do_not_sleep;
}

static void wire_up(board *one)
{
    uint32_t flags = 0; /* do not print what is sent, do not sleep where the chip polls */
    one->uart = find_uart(one->chip);
    (void)avr_ioctl(one->chip, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    one->input = avr_io_getirq(one->chip, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_t *output = avr_io_getirq(one->chip, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT);
    avr_irq_register_notify(output, take_byte, one);
    start_clock(one);
}

/* Run the chip until its time has come to `ns`; what it sends goes to the host. */
static void run_until(board *one, uint64_t ns)
{
    while (ns_of(one->chip->cycle) < ns) {
        int state = avr_run(one->chip);
        if (state == cpu_Done || state == cpu_Crashed) {
            (void)fprintf(stderr, "the firmware has %s\n", state == cpu_Done ? "stopped" : "crashed");
            exit(1);
        }
    }
    line_write(&one->host, one->up, one->up_used);
    one->up_used = 0;
}

/* Wait until this computer's time has come as far as the chip's; take what the host sends meanwhile. */
static line_order catch_up(board *one, bool paced, uint64_t *behind)
{
    uint64_t chip = ns_of(one->chip->cycle) + *behind, now = line_now();
    if (now > chip + MAX_LAG_NS)
        *behind += now - chip;
    bool room = one->down_taken == one->down_used;
    line_order order = line_wait(&one->host, room, -1, paced && chip > now ? chip - now : 0);
    if (room) {
        one->down_taken = 0;
        one->down_used = line_read(&one->host, one->down, sizeof one->down);
        if (one->idle && one->down_used > 0)
            avr_cycle_timer_register(one->chip, 1, clock_byte, one);
    }
    return order;
}

/* Only a chip that listens is ready: what is sent to it before is lost. */
static void wait_until_it_listens(board *one)
{
    while (!avr_regbit_get(one->chip, one->uart->rxen)) {
        run_until(one, ns_of(one->chip->cycle) + SLICE_NS);
        if (ns_of(one->chip->cycle) > LISTENS_WITHIN_NS) {
            (void)fprintf(stderr, "the firmware does not listen to its UART\n");
            exit(1);
        }
    }
}

static void run(board *one, bool paced)
{
    wait_until_it_listens(one);
    line_open(&one->host);
    uint64_t behind = line_now() - ns_of(one->chip->cycle);
    line_order order = LINE_NONE;
    while (order != LINE_STOP) {
        run_until(one, ns_of(one->chip->cycle) + SLICE_NS);
        order = catch_up(one, paced, &behind);
        if (order == LINE_RESET) {
            avr_reset(one->chip);
            start_clock(one);
            line_tell_reset();
        }
    }
    line_close(&one->host);
}

int main(int count, char **arguments)
{
    static board one = {.host = {.master = -1}};
    bool paced = !(count == 3 && strcmp(arguments[1], "--unpaced") == 0);
    if (count != (paced ? 2 : 3)) {
        (void)fprintf(stderr, "usage: runner [--unpaced] FIRMWARE.elf\n");
        return 2;
    }
    load(&one, arguments[count - 1]);
    wire_up(&one);
    run(&one, paced);
    return 0;
}
