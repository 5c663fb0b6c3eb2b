/* A serial line that is a pseudo-terminal. */
#define _XOPEN_SOURCE 700

#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* How often a line that no host has open is looked at: opening it makes no event. */
#define LOOK_NS 2000000U

void line_fail(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t line_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Open the host's end for a moment: to make it raw, or to throw away what nobody has read. */
static int open_other_end(const line *one)
{
    return open(ptsname(one->master), O_RDWR | O_NOCTTY);
}

/* Let bytes pass as they are: no echo, no lines, no signals. */
static void make_raw(int terminal)
{
    struct termios settings;
    if (tcgetattr(terminal, &settings) != 0)
        line_fail("pseudo-terminal");
    settings.c_iflag = 0;
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    settings.c_cflag = CS8 | CREAD | CLOCAL;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (tcsetattr(terminal, TCSANOW, &settings) != 0)
        line_fail("pseudo-terminal");
}

/* Tell whoever started us, now. */
static void tell(const char *what, const char *more)
{
    (void)printf("%s%s\n", what, more);
    (void)fflush(stdout);
}

static void plug(line *one)
{
    if (one->master >= 0)
        return;
    one->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (one->master < 0 || grantpt(one->master) != 0 || unlockpt(one->master) != 0)
        line_fail("cannot make a pseudo-terminal");
    int other = open_other_end(one);
    if (other < 0 || fcntl(one->master, F_SETFL, O_NONBLOCK) != 0)
        line_fail("cannot open the pseudo-terminal");
    make_raw(other);
    (void)close(other); /* so that a host that opens and closes it is noticed */
    one->hosted = one->waiting = false;
    tell("ready: ", ptsname(one->master));
}

static void unplug(line *one)
{
    if (one->master < 0)
        return;
    (void)close(one->master);
    one->master = -1;
    one->hosted = one->waiting = false;
    tell("gone", "");
}

/* The kernel keeps what a host has left unread for the next one, who would take it for fresh. */
static void forget_unread(const line *one)
{
    int other = open_other_end(one);
    if (other >= 0) {
        (void)tcflush(other, TCIFLUSH);
        (void)close(other);
    }
}

/* Look whether a host is there, and whether it has sent something. */
static void look(line *one)
{
    struct pollfd state = {.fd = one->master, .events = POLLIN};
    if (one->master < 0 || poll(&state, 1, 0) < 0)
        return;
    bool hosted = (state.revents & POLLHUP) == 0;
    if (one->hosted && !hosted)
        forget_unread(one);
    one->hosted = hosted;
    one->waiting = (state.revents & POLLIN) != 0;
}

static line_order obey(line *one)
{
    char letter;
    ssize_t got = read(STDIN_FILENO, &letter, 1);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        return LINE_STOP;
    if (got == 1 && letter == 'u')
        unplug(one);
    if (got == 1 && letter == 'p')
        plug(one);
    return got == 1 && letter == 'r' ? LINE_RESET : LINE_NONE;
}

static int larger(int one, int other)
{
    return one > other ? one : other;
}

void line_open(line *one)
{
    *one = (line){.master = -1};
    plug(one);
}

void line_close(line *one)
{
    char count[24];
    (void)snprintf(count, sizeof count, "%lu", one->dropped);
    tell("dropped: ", count);
    if (one->master >= 0)
        (void)close(one->master);
    one->master = -1;
}

void line_tell_reset(void)
{
    tell("reset", "");
}

line_order line_wait(line *one, bool wants_bytes, int other, uint64_t ns)
{
    look(one);
    if (wants_bytes && one->waiting)
        ns = 0;
    if (!one->hosted && ns > LOOK_NS)
        ns = LOOK_NS;
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(STDIN_FILENO, &readable);
    int highest = STDIN_FILENO;
    const int lines[] = {wants_bytes && one->hosted ? one->master : -1, other};
    for (size_t at = 0; at < sizeof lines / sizeof *lines; at++) {
        if (lines[at] >= 0)
            FD_SET(lines[at], &readable);
        highest = larger(highest, lines[at]);
    }
    struct timespec timeout = {.tv_sec = (time_t)(ns / 1000000000U), .tv_nsec = (long)(ns % 1000000000U)};
    int ready = pselect(highest + 1, &readable, NULL, NULL, &timeout, NULL);
    if (ready > 0 && lines[0] >= 0 && FD_ISSET(lines[0], &readable))
        one->waiting = true;
    return ready > 0 && FD_ISSET(STDIN_FILENO, &readable) ? obey(one) : LINE_NONE;
}

size_t line_read(line *one, uint8_t *bytes, size_t room)
{
    if (one->master < 0 || !one->waiting)
        return 0;
    ssize_t got = read(one->master, bytes, room);
    one->waiting = false;
    return got > 0 ? (size_t)got : 0;
}

void line_write(line *one, const uint8_t *bytes, size_t size)
{
    if (one->master < 0 || !one->hosted)
        return;
    ssize_t taken = write(one->master, bytes, size);
    one->dropped += size - (taken > 0 ? (size_t)taken : 0);
}
