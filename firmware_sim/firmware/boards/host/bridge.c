/* Two lanes of bytes with a pace. */
#define _XOPEN_SOURCE 700

#include "bridge.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>

#define SECOND_NS UINT64_C(1000000000)
#define BITS_PER_BYTE 10U    /* 8N1: start, 8 data, stop */
#define PATIENCE_NS 1000000U /* bytes in flight are handed over at least once a ms, not one by one */

#define LATE_NS 60000U       /* by how much the system wakes late: 50 us of its timers' slack, and a switch */

/* Bytes under way in one direction. */
typedef struct lane {
    uint8_t bytes[256];
    size_t used;
    uint64_t due; /* when the first of them has crossed the line */
} lane;

/* Return how many bytes have crossed the line. */
static size_t crossed(const lane *way, uint64_t now, uint64_t byte_ns)
{
    if (byte_ns == 0 || way->used == 0)
        return way->used;
    if (now < way->due)
        return 0;
    uint64_t count = 1 + (now - way->due) / byte_ns;
    return count < way->used ? (size_t)count : way->used;
}

/* Take note of bytes that were put at the end of the lane. */
static void add(lane *way, size_t count, uint64_t now, uint64_t byte_ns)
{
    if (way->used == 0 && count > 0)
        way->due = (way->due > now ? way->due : now) + byte_ns;
    way->used += count;
}

static void drop(lane *way, size_t count, uint64_t byte_ns)
{
    way->used -= count;
    way->due += count * byte_ns;
    for (size_t at = 0; at < way->used; at++)
        way->bytes[at] = way->bytes[at + count];
}

/* Return for how long nothing has to be done for a lane; the last moments before are spent looking. */
static uint64_t rest(const lane *way, uint64_t now, uint64_t byte_ns)
{
    if (way->used == 0)
        return SECOND_NS;
    uint64_t done = way->due + (way->used - 1) * byte_ns;
    uint64_t left = done <= now || done - now > PATIENCE_NS ? PATIENCE_NS : done - now;
    return left > LATE_NS ? left - LATE_NS : 0;
}

static void to_chip(lane *way, int chip, uint64_t now, uint64_t byte_ns)
{
    size_t count = crossed(way, now, byte_ns);
    ssize_t sent = count == 0 ? 0 : send(chip, way->bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        drop(way, (size_t)sent, byte_ns);
}

static void to_host(lane *way, line *one, uint64_t now, uint64_t byte_ns)
{
    size_t count = crossed(way, now, byte_ns);
    if (count > 0)
        line_write(one, way->bytes, count);
    drop(way, count, byte_ns);
}

line_order bridge_run(line *one, int chip, unsigned baudrate)
{
    uint64_t byte_ns = baudrate == 0 ? 0 : SECOND_NS * BITS_PER_BYTE / baudrate;
    lane down = {.used = 0}, up = {.used = 0};
    line_order order = LINE_NONE;
    while (order == LINE_NONE) {
        uint64_t now = line_now();
        uint64_t down_rest = rest(&down, now, byte_ns), up_rest = rest(&up, now, byte_ns);
        bool has_room = up.used < sizeof up.bytes;
        bool wants_bytes = down.used < sizeof down.bytes;
        order = line_wait(one, wants_bytes, has_room ? chip : -1, down_rest < up_rest ? down_rest : up_rest);
        now = line_now();
        add(&down, line_read(one, down.bytes + down.used, sizeof down.bytes - down.used), now, byte_ns);
        ssize_t got = has_room ? recv(chip, up.bytes + up.used, sizeof up.bytes - up.used, MSG_DONTWAIT) : 0;
        if (has_room && (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)))
            return LINE_GONE;
        add(&up, got > 0 ? (size_t)got : 0, now, byte_ns);
        to_chip(&down, chip, now, byte_ns);
        to_host(&up, one, now, byte_ns);
    }
    return order;
}
