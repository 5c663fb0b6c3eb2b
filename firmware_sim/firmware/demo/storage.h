/* The demo's files: in memory that the board leaves alone at a reset. */
#ifndef STORAGE_H
#define STORAGE_H

#include "fl_transfer.h"

/* For the device's config: `.service = &files.service`. */
extern fl_transfer files;

/* Begin, with the files that a reset has left.  `boots` as for fl_device_init. */
void storage_start(uint16_t boots);

#endif
