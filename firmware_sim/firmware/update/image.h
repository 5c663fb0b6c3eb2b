/* Firmware images: what stands before the code, where images lie, and which of them runs.
 *
 * QEMU's chip cannot write its flash, so the slots are in RAM that a reset leaves alone: what was loaded
 * outlives a reset, not the power.  On a chip whose flash can be written they are two sectors, and the rest is
 * the same.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAGIC 0x31574C46U /* "FLW1" */
#define IMAGE_TYPE 0x0301U      /* the device that it is for, as in identify */
#define SLOTS 2U
#define SLOT_SIZE 16384U /* bytes; also the room that code has to run in */

/* The head of an image; the code follows, from its vectors on. */
typedef struct image {
    uint32_t magic;
    uint32_t crc; /* CRC-32 of all that follows it */
    uint32_t length; /* bytes of code */
    uint32_t type;
    uint8_t version[4]; /* major, minor, patch, 0 */
} image;

/* What outlives a reset.  One store to `chosen` decides which firmware runs after it; whatever names no slot
 * is the factory's, so power that comes brings that one. */
typedef struct update_record {
    volatile uint32_t chosen;
    volatile uint32_t running; /* as the loader has found it: a slot's number, or SLOTS for the factory's */
    volatile uint32_t next;    /* of the transfer into the other slot: the bytes that it has from the start */
    uint32_t size;
    uint32_t crc;
} update_record;

extern update_record record;

/* Return what stands in `chosen` for a slot. */
static inline uint32_t choice_of(uint32_t slot)
{
    return 0x736C6F74U ^ slot;
}

/* Return where a slot begins. */
uint8_t *slot_at(uint32_t slot);

/* Tell whether an image of this device stands there whole, in at most SLOT_SIZE bytes. */
bool image_is_valid(const image *one);

#endif
