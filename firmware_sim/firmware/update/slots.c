/* One file at a time, into the slot that does not run.  Nothing here touches the firmware that runs, or what
 * runs after a reset, until choose_waiting_image. */
#include "slots.h"

static const char name[] = "firmware"; /* as what the slot's image is listed, whatever the host has called it */

static uint32_t other_slot(void)
{
    return record.running == 0 ? 1 : 0;
}

const image *waiting_image(void)
{
    return (const image *)(const void *)slot_at(other_slot());
}

void choose_waiting_image(void)
{
    record.chosen = choice_of(other_slot());
}

/* Make sure that what is in the slot is no image, chosen or not. */
static void clear(void)
{
    image *one = (image *)(void *)slot_at(other_slot());
    record.next = 0;
    if (record.chosen == choice_of(other_slot()))
        record.chosen = 0; /* it was not whole, or it would run */
    one->magic = 0;
}

static bool find(const fl_storage *storage, fl_file *file)
{
    (void)storage;
    (void)file;
    return false; /* firmware is not given out */
}

static fl_code begin(const fl_storage *storage, const fl_file *file, uint32_t *next, fl_reply *reply)
{
    (void)storage;
    if (record.chosen == choice_of(other_slot()) && image_is_valid(waiting_image())) {
        reply->text = FL_TEXT("about to restart");
        return FL_BUSY;
    }
    if (file->size > SLOT_SIZE) {
        reply->text = FL_TEXT("larger than the slot");
        return FL_FAILED;
    }
    if (record.size != file->size || record.crc != file->crc || record.next > file->size) {
        clear();
        record.size = file->size;
        record.crc = file->crc;
    }
    *next = record.next;
    return FL_OK;
}

static bool write(const fl_storage *storage, uint32_t offset, const uint8_t *bytes, fl_size size)
{
    (void)storage;
    memcpy(slot_at(other_slot()) + offset, bytes, size);
    return true;
}

static void written(const fl_storage *storage, uint32_t next)
{
    (void)storage;
    record.next = next;
}

static bool read(const fl_storage *storage, uint32_t offset, uint8_t *bytes, fl_size size)
{
    (void)storage;
    memcpy(bytes, slot_at(other_slot()) + offset, size);
    return true;
}

static void discard(const fl_storage *storage)
{
    (void)storage;
    clear();
}

static fl_code commit(const fl_storage *storage, fl_reply *reply)
{
    (void)storage;
    const image *one = waiting_image();
    if (image_is_valid(one) && record.size == sizeof *one + one->length)
        return FL_OK;
    clear();
    reply->text = FL_TEXT("no firmware for this device");
    return FL_FAILED;
}

static bool list(const fl_storage *storage, uint16_t index, fl_file *file, uint8_t *to, fl_size room)
{
    (void)storage;
    if (index != 0 || room < sizeof name - 1 || !image_is_valid(waiting_image()))
        return false;
    file->size = record.size;
    file->crc = record.crc;
    file->name_size = sizeof name - 1;
    memcpy(to, name, file->name_size);
    return true;
}

const fl_storage slots = {
    .find = find,
    .begin = begin,
    .write = write,
    .written = written,
    .read = read,
    .commit = commit,
    .discard = discard,
    .list = list,
};
