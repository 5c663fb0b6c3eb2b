/* Moves bytes between a board's line and a chip that has a socket for its UART, at a real line's pace. */
#ifndef BRIDGE_H
#define BRIDGE_H

#include "line.h"

/* Move bytes until there is an order other than to plug or unplug, or the chip has closed its end: LINE_GONE.
 * `chip` is a socket; `baudrate` 0 means as fast as it goes. */
line_order bridge_run(line *one, int chip, unsigned baudrate);

#endif
