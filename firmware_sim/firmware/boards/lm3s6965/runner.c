/* Runs firmware for the LM3S6965 (Cortex-M3) under QEMU, with its UART on a pseudo-terminal.
 *
 *     runner [--unpaced] FIRMWARE.elf
 *
 * It says and obeys what host/line.h says.  QEMU's UART knows no baud rate, so the line has the pace of
 * 115,200 baud here, but for --unpaced.  QEMU notices only once a second that a pseudo-terminal of its own
 * was opened; ours is served by us, and QEMU has a socket that is always connected.
 */
#define _XOPEN_SOURCE 700

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "bridge.h"

#define BAUDRATE 115200U
#define EMULATOR "qemu-system-arm"
#define UART_IM "0x4000c038" /* not 0 once the firmware listens */
#define LISTENS_WITHIN_NS 5000000000U
#define ANSWERS_WITHIN_S 5
#define ASK_EVERY_US 2000

static pid_t emulator = -1;

/* A pair of connected sockets; the second is inherited by the emulator. */
typedef struct pair {
    int ours, its;
} pair;

static pair connected(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        line_fail("socket");
    return (pair){ends[0], ends[1]};
}

static void end_emulator(void)
{
    if (emulator > 0)
        (void)kill(emulator, SIGKILL);
}

static void stop_at_once(int signal)
{
    (void)signal;
    end_emulator();
    _exit(0);
}

/* Become the emulator. */
static void emulate(int uart, int monitor, const char *firmware)
{
    char uart_socket[64], monitor_socket[64];
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* for the case that we are killed */
#endif
    (void)snprintf(uart_socket, sizeof uart_socket, "socket,id=uart,fd=%d", uart);
    (void)snprintf(monitor_socket, sizeof monitor_socket, "socket,id=monitor,fd=%d", monitor);
    (void)execlp(
        EMULATOR, EMULATOR, "-M", "lm3s6965evb", "-nodefaults", "-display", "none", "-nic", "none",
        "-chardev", uart_socket, "-serial", "chardev:uart",
        "-chardev", monitor_socket, "-mon", "chardev=monitor,mode=readline",
        "-kernel", firmware, (char *)NULL);
    line_fail(EMULATOR);
}

static void start_emulator(const pair *uart, const pair *monitor, const char *firmware)
{
    emulator = fork();
    if (emulator < 0)
        line_fail("fork");
    if (emulator == 0) {
        (void)close(uart->ours);
        (void)close(monitor->ours);
        (void)close(STDIN_FILENO); /* orders are ours */
        emulate(uart->its, monitor->its, firmware);
    }
    (void)close(uart->its);
    (void)close(monitor->its);
    struct timeval patience = {.tv_sec = ANSWERS_WITHIN_S, .tv_usec = 0};
    (void)setsockopt(monitor->ours, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)signal(SIGTERM, stop_at_once);
    (void)signal(SIGINT, stop_at_once);
    (void)signal(SIGHUP, stop_at_once);
}

/* End because of the emulator, which has said more on standard error. */
static void give_up(const char *reason)
{
    (void)fprintf(stderr, "%s\n", reason);
    end_emulator();
    exit(1);
}

/* Read what the monitor says, up to its next prompt. */
static void hear(int monitor, char *said, size_t room)
{
    size_t used = 0;
    said[0] = '\0';
    while (strstr(said, "(qemu) ") == NULL) {
        if (used == room - 1) { /* only the end matters: a prompt may lie across it */
            used = room / 2;
            memmove(said, said + used, room - used);
            used = room - 1 - used;
        }
        ssize_t got = recv(monitor, said + used, room - 1 - used, 0);
        if (got <= 0)
            give_up(EMULATOR " does not answer");
        used += (size_t)got;
        said[used] = '\0';
    }
}

static void tell(int monitor, const char *order, char *said, size_t room)
{
    if (send(monitor, order, strlen(order), MSG_NOSIGNAL) < 0)
        give_up(EMULATOR " has ended");
    hear(monitor, said, room);
}

/* Wait until the firmware listens: what is sent to it before is lost. */
static void wait_until_it_listens(int monitor)
{
    char said[512];
    uint64_t deadline = line_now() + LISTENS_WITHIN_NS;
    struct timeval pause = {0, 0};
    hear(monitor, said, sizeof said);
    for (;;) {
        tell(monitor, "xp /1wx " UART_IM "\n", said, sizeof said);
        const char *value = strstr(said, ": 0x");
        if (value != NULL && strtoul(value + 2, NULL, 16) != 0)
            return;
        if (line_now() > deadline)
            give_up("the firmware does not listen to its UART");
        pause.tv_usec = ASK_EVERY_US;
        (void)select(0, NULL, NULL, NULL, &pause);
    }
}

int main(int count, char **arguments)
{
    char said[512];
    line host;
    bool paced = !(count == 3 && strcmp(arguments[1], "--unpaced") == 0);
    if (count != (paced ? 2 : 3)) {
        (void)fprintf(stderr, "usage: runner [--unpaced] FIRMWARE.elf\n");
        return 2;
    }
    pair uart = connected(), monitor = connected();
    start_emulator(&uart, &monitor, arguments[count - 1]);
    wait_until_it_listens(monitor.ours);
    line_open(&host);
    line_order order;
    while ((order = bridge_run(&host, uart.ours, paced ? BAUDRATE : 0)) == LINE_RESET) {
        tell(monitor.ours, "system_reset\n", said, sizeof said);
        line_tell_reset();
    }
    line_close(&host);
    if (order == LINE_GONE)
        give_up(EMULATOR " has ended");
    end_emulator();
    return 0;
}
