/* The slot that does not run, as a storage for transfers. */
#ifndef SLOTS_H
#define SLOTS_H

#include "fl_transfer.h"
#include "image.h"

extern const fl_storage slots;

/* Return the image in the slot that does not run; valid or not. */
const image *waiting_image(void);

/* Let the waiting image, which is valid, be the one that runs after the next reset. */
void choose_waiting_image(void);

#endif
