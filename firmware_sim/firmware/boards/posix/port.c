/* The demo as a process of this computer, on a pseudo-terminal.
 *
 * The process that was started stays outside and serves the line and the orders; the firmware runs in a
 * child, which a reset kills and starts anew from the same point, so that it loses all its memory as a chip
 * does, but for what both sides share.
 */
#define _XOPEN_SOURCE 700

#include "port.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge.h"

#ifndef PORT_BAUDRATE
#define PORT_BAUDRATE 0U /* as fast as it goes */
#endif
#define KEPT_SIZE ((size_t)16 << 20) /* bytes; the system gives only those that are used */

static int wire = -1; /* the chip's end of the socket, instead of a UART */
static uint8_t bytes[256];
static size_t taken, got;
static uint64_t started;
static void *kept;

/* Make the memory that outlives the firmware's process. */
static void share_memory(void)
{
    FILE *nameless = tmpfile();
    if (nameless == NULL || ftruncate(fileno(nameless), (off_t)KEPT_SIZE) != 0)
        line_fail("temporary file");
    kept = mmap(NULL, KEPT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(nameless), 0);
    if (kept == MAP_FAILED)
        line_fail("shared memory");
    (void)fclose(nameless);
}

/* Run one life of the chip; returns in the chip itself only. */
static line_order live(line *one)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        line_fail("socket");
    pid_t chip = fork();
    if (chip < 0)
        line_fail("fork");
    if (chip == 0) {
        (void)close(ends[0]);
        (void)close(one->master);
        (void)close(STDIN_FILENO);
        wire = ends[1];
        return LINE_NONE;
    }
    (void)close(ends[1]);
    line_order order = bridge_run(one, ends[0], PORT_BAUDRATE);
    (void)kill(chip, SIGKILL);
    (void)waitpid(chip, NULL, 0);
    (void)close(ends[0]);
    return order;
}

/* End outside, in good order or because the firmware has. */
static void end(line *one, bool by_itself)
{
    if (by_itself)
        (void)fprintf(stderr, "the firmware has stopped\n");
    line_close(one);
    exit(by_itself ? 1 : 0);
}

uint16_t port_start(void)
{
    line one;
    share_memory();
    line_open(&one);
    uint16_t boots = 0;
    line_order order;
    for (; (order = live(&one)) == LINE_RESET; boots++)
        line_tell_reset();
    if (wire < 0)
        end(&one, order == LINE_GONE);
    started = line_now();
    return boots;
}

int port_read(void)
{
    if (taken == got) {
        struct pollfd state = {.fd = wire, .events = POLLIN};
        taken = got = 0;
        if (poll(&state, 1, 1) <= 0)
            return -1;
        ssize_t count = read(wire, bytes, sizeof bytes);
        if (count <= 0)
            exit(0); /* the outside has gone */
        got = (size_t)count;
    }
    return bytes[taken++];
}

void port_write(const uint8_t *from, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(wire, from, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            exit(0);
        from += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
}

uint32_t port_millis(void)
{
    return (uint32_t)((line_now() - started) / 1000000U);
}

/* A socket has flow control: nothing is lost. */
uint32_t port_overruns(void)
{
    return 0;
}

void *port_kept(size_t *size)
{
    *size = KEPT_SIZE;
    return kept;
}
