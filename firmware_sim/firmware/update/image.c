/* Where images lie, and whether they are whole. */
#include "image.h"

#include "fl_crc32.h"

#define FROM_LENGTH offsetof(image, length)

extern uint8_t slots_start[]; /* the linker script's */

__attribute__((section(".record"))) update_record record;

uint8_t *slot_at(uint32_t slot)
{
    return slots_start + slot * SLOT_SIZE;
}

bool image_is_valid(const image *one)
{
    if (one->magic != IMAGE_MAGIC || one->type != IMAGE_TYPE || one->length > SLOT_SIZE - sizeof *one)
        return false;
    const uint8_t *covered = (const uint8_t *)one + FROM_LENGTH;
    return fl_crc32(0, covered, sizeof *one - FROM_LENGTH + one->length) == one->crc;
}
