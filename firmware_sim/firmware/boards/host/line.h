/* The computer's side of a board: a pseudo-terminal as its serial line, and orders on standard input.
 *
 * For POSIX systems, and for what runs a board, not for firmware.  On standard output it says `ready: PATH`
 * when the line can be opened, `gone` when it was unplugged, `reset` when the board was reset, and at the end
 * `dropped: N`.  An order is a letter: r resets the board, u unplugs its line, p plugs it in again; the end
 * of the input ends the program, so that a board never outlives whoever started it.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A serial line.  Everything is private. */
typedef struct line {
    int master;            /* -1 while unplugged */
    bool hosted;           /* whether a host has the other end open */
    bool waiting;          /* whether the host has sent something */
    unsigned long dropped; /* bytes that the host did not read in time */
} line;

/* What line_wait was told to do, besides what it does itself; LINE_GONE is for those that wait for more. */
typedef enum line_order { LINE_NONE, LINE_RESET, LINE_STOP, LINE_GONE } line_order;

/* Make the pseudo-terminal and say that it is ready; what goes wrong is told, and ends the program. */
void line_open(line *one);

/* Say how many bytes an open line has lost because nobody read them, and close it. */
void line_close(line *one);

/* Wait until the host has sent bytes (if `wants_bytes`), `other` is readable (if it is not -1), an order
 * has come, or `ns` nanoseconds have passed; returns the order. */
line_order line_wait(line *one, bool wants_bytes, int other, uint64_t ns);

/* Say that the board was reset. */
void line_tell_reset(void);

/* Take bytes that the host has sent; returns how many, 0 if there are none just now. */
size_t line_read(line *one, uint8_t *bytes, size_t room);

/* Send bytes to the host.  Lost if nobody has the line open, as on a real one; what an open line has no room
 * for is lost too, and counted: the kernel keeps some 20,000 bytes for a host that does not read. */
void line_write(line *one, const uint8_t *bytes, size_t size);

/* Return a monotonic time in nanoseconds. */
uint64_t line_now(void);

/* Say what went wrong, with errno's reason, and end the program. */
void line_fail(const char *what);

#endif
