/* The sequenced profile of a device: which reply is kept, and when it is given again.
 * Private to fl_device.c.  Without FL_SEQUENCED nothing is left of it.
 */
#ifndef FL_SEQUENCE_H
#define FL_SEQUENCE_H

#include "fl_device.h"

#define FL_NO_NUMBER 0U /* of a request that is carried out whenever it comes, and whose reply is not kept */

#if FL_SEQUENCED

#define FL_FIRST_SEQUENCED 0x20U
#define FL_LAST_SEQUENCED 0x5FU

/* Tell whether requests of that command begin with a sequence byte. */
static inline bool fl_is_sequenced(uint8_t cmd)
{
    return cmd >= FL_FIRST_SEQUENCED && cmd <= FL_LAST_SEQUENCED;
}

/* Return a request's number, 0 if it has none. */
static inline uint8_t fl_number(const fl_frame *request)
{
    return fl_is_sequenced(request->cmd) && request->size > 0 ? request->data[0] : FL_NO_NUMBER;
}

/* Return the request without its number, which a sequenced one has; `room` is where that may stand. */
static inline const fl_frame *fl_unnumbered(const fl_frame *request, fl_frame *room)
{
    if (!fl_is_sequenced(request->cmd))
        return request;
    *room = *request;
    room->data++;
    room->size--;
    return room;
}

/* Keep no reply: a new host's numbers must not meet an old one's. */
static inline void fl_forget(fl_device *device)
{
    device->kept.number = FL_NO_NUMBER;
}

/* Send the reply once more if the request is the one that was answered last, and tell whether it was. */
static inline bool fl_answered_before(fl_device *device, uint8_t cmd, uint8_t number)
{
    const fl_kept *kept = &device->kept;
    bool is_repeat = number != FL_NO_NUMBER && number == kept->number && cmd == kept->cmd;
    if (is_repeat)
        device->config->send(device, kept->frame, kept->size);
    return is_repeat;
}

/* Keep the frame in `out` as the answer to a request. */
static inline void fl_keep(fl_device *device, uint8_t cmd, uint8_t number, fl_size size)
{
    if (number == FL_NO_NUMBER)
        return;
    device->kept.cmd = cmd;
    device->kept.number = number;
    device->kept.size = size;
    memcpy(device->kept.frame, device->out, size);
}

#else

static inline bool fl_is_sequenced(uint8_t cmd)
{
    (void)cmd;
    return false;
}

static inline uint8_t fl_number(const fl_frame *request)
{
    (void)request;
    return FL_NO_NUMBER;
}

static inline const fl_frame *fl_unnumbered(const fl_frame *request, const fl_frame *room)
{
    (void)room;
    return request;
}

static inline void fl_forget(fl_device *device)
{
    (void)device;
}

static inline bool fl_answered_before(fl_device *device, uint8_t cmd, uint8_t number)
{
    (void)device;
    (void)cmd;
    (void)number;
    return false;
}

static inline void fl_keep(fl_device *device, uint8_t cmd, uint8_t number, fl_size size)
{
    (void)device;
    (void)cmd;
    (void)number;
    (void)size;
}

#endif

#endif
