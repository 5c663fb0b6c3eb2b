/* What a board gives the firmware: six functions.  Each board's folder has a port.c with them. */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

/* Set clock, serial line (115,200 baud, 8N1) and interrupts up.
 *
 * Returns how often the board has started before, modulo 2^16, so that a host notices a reboot. */
uint16_t port_start(void);

/* Return the next byte received, or -1 if none waits.  May sleep for up to a ms before it says so. */
int port_read(void);

/* Send bytes; returns when all of them have been handed to the hardware. */
void port_write(const uint8_t *bytes, size_t size);

/* Return the ms since port_start, modulo 2^32. */
uint32_t port_millis(void);

/* Return how many received bytes were lost because port_read came too late, modulo 2^32. */
uint32_t port_overruns(void);

/* Return memory that a reset leaves alone, aligned for any number, and how many bytes there are.  What stands
 * in it when power comes is anything. */
void *port_kept(size_t *size);

#endif
