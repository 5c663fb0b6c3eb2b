/* The encoder and the byte-level receiver. */
#include "fl_frame.h"

#include <string.h>


#include "fl_check.h"
#include "fl_layout.h"

void fl_receiver_init(fl_receiver *receiver)
{
    for (uint8_t *byte = (uint8_t *)receiver; byte < (uint8_t *)(receiver + 1); byte++)
        *byte = 0;
}

static FL_NOT_INLINE void tally(fl_receiver *receiver, uint8_t what)
{
    receiver->ledger.count[what]++;
}

/* Drop the first bytes. */
static void drop(fl_receiver *receiver, fl_size count)
{
    fl_size used = (fl_size)(receiver->used - count);
    receiver->used = used;
    if (count != 0)
        for (uint8_t *byte = receiver->bytes; used > 0; byte++, used--)
            *byte = byte[count];
}

/* Judge the first byte of a candidate that is not judged yet, and tell what the candidate is now. */
static uint8_t judge(fl_receiver *receiver, const uint8_t *candidate)
{
    fl_size at = receiver->judged++;
    if (at < FL_HEADER_SIZE)
        return candidate[at] == fl_header[at] ? FL_POSSIBLE : FL_COUNT_NOISE;
    if (at < FL_HEAD_SIZE - 1)
        return FL_POSSIBLE;
    if (at == FL_HEAD_SIZE - 1) {
        uint16_t size = fl_data_size(candidate);
        if (!fl_length_allowed(fl_field(candidate, FL_CMD_PLACE), size))
            return FL_COUNT_LENGTH;
        receiver->whole = (fl_size)(FL_OVERHEAD + size);
    } else {
        fl_size tail_at = (fl_size)(receiver->whole - FL_TAIL_SIZE);
        if (at >= tail_at && candidate[at] != fl_tail[at - tail_at])
            return FL_COUNT_TAIL;
    }
    if (receiver->judged < receiver->whole)
        return FL_POSSIBLE;
    const uint8_t *check = candidate + receiver->whole - FL_TAIL_SIZE - FL_CHECK_SIZE;
    candidate += FL_COVERED_FROM;
    return fl_check(candidate, (size_t)(check - candidate)) == fl_check_of(check) ? FL_WHOLE : FL_COUNT_CHECK;
}

/* Look for a frame among the bytes from `at` on; what lies before is dealt with. */
static const fl_frame *settle(fl_receiver *receiver, fl_size at)
{
    uint8_t verdict = FL_POSSIBLE;
    while (verdict != FL_WHOLE && at + receiver->judged < receiver->used) {
        verdict = judge(receiver, receiver->bytes + at);
        if (verdict != FL_POSSIBLE) {
            tally(receiver, verdict);
            receiver->judged = 0;
            at = (fl_size)(at + (verdict < FL_WHOLE)); /* rejected: the search goes on at its second byte */
        }
    }
    drop(receiver, at);
    if (verdict != FL_WHOLE)
        return NULL;
    fl_frame *frame = &receiver->frame;
    receiver->taken = receiver->whole;
    receiver->ledger.delivered += receiver->whole;
    frame->data = receiver->bytes + FL_HEAD_SIZE;
    frame->size = (fl_size)(receiver->whole - FL_OVERHEAD);
    frame->addr = fl_field(receiver->bytes, FL_ADDR_PLACE);
    frame->cmd = fl_field(receiver->bytes, FL_CMD_PLACE);
    return frame;
}

const fl_frame *fl_receiver_next(fl_receiver *receiver)
{
    fl_size taken = receiver->taken;
    receiver->taken = 0;
    return settle(receiver, taken);
}

const fl_frame *fl_receiver_push(fl_receiver *receiver, uint8_t byte)
{
    drop(receiver, receiver->taken);
    receiver->taken = 0;
    receiver->bytes[receiver->used++] = byte;
    return settle(receiver, 0);
}

const fl_frame *fl_receiver_idle(fl_receiver *receiver)
{
    const fl_frame *frame = fl_receiver_next(receiver);
    while (frame == NULL && receiver->used != 0) {
        tally(receiver, FL_COUNT_TIMEOUT);
        receiver->judged = 0;
        frame = settle(receiver, 1);
    }
    return frame;
}

fl_size fl_receiver_pending(const fl_receiver *receiver)
{
    return (fl_size)(receiver->used - receiver->taken);
}

uint32_t fl_receiver_received(const fl_receiver *receiver)
{
    const fl_ledger *ledger = &receiver->ledger;
    uint32_t received = ledger->delivered + fl_receiver_pending(receiver);
    for (uint8_t reason = 0; reason < FL_REASONS; reason++)
        received += ledger->count[reason];
    return received;
}

fl_state fl_receiver_state(const fl_receiver *receiver)
{
    const uint8_t *candidate = receiver->bytes + receiver->taken;
    fl_size used = fl_receiver_pending(receiver);
    if (used < FL_HEADER_SIZE)
        return FL_STATE_HEADER;
    if (used == FL_HEADER_SIZE + FL_ADDR_PLACE)
        return FL_STATE_ADDRESS;
    if (used == FL_HEADER_SIZE + FL_CMD_PLACE)
        return FL_STATE_COMMAND;
    if (used < FL_HEAD_SIZE)
        return FL_STATE_LENGTH;
    fl_size check_at = (fl_size)(FL_HEAD_SIZE + fl_data_size(candidate));
    return used < check_at ? FL_STATE_DATA : used < check_at + FL_CHECK_SIZE ? FL_STATE_CHECK : FL_STATE_TAIL;
}

bool fl_length_allowed(uint8_t cmd, size_t size)
{
    (void)cmd;
    return size <= FL_MAX_DATA && (FL_LENGTH_ALLOWED(cmd, size));
}

static void put_number(uint8_t *out, uint16_t number, uint8_t size, bool big_endian)
{
    if (size == 2) {
        out[big_endian ? 1 : 0] = (uint8_t)number;
        out[big_endian ? 0 : 1] = (uint8_t)(number >> 8);
    } else if (size == 1) {
        out[0] = (uint8_t)number;
    }
}

fl_size fl_seal(uint8_t *frame, uint8_t addr, uint8_t cmd, size_t size)
{
    if (!fl_length_allowed(cmd, size))
        return 0;
    memcpy(frame, fl_header, FL_HEADER_SIZE);
    uint8_t *fields = frame + FL_HEADER_SIZE;
    if (FL_ADDR_PLACE >= 0)
        fields[FL_ADDR_PLACE < 0 ? 0 : FL_ADDR_PLACE] = addr;
    if (FL_CMD_PLACE >= 0)
        fields[FL_CMD_PLACE < 0 ? 0 : FL_CMD_PLACE] = cmd;
    uint16_t announced = (uint16_t)(size + (FL_LEN_COUNTS_FRAME ? FL_OVERHEAD : 0));
    put_number(fields + FL_LEN_PLACE, announced, FL_LEN_SIZE, FL_LEN_BIG_ENDIAN);
    uint8_t *check = frame + FL_HEAD_SIZE + size;
    uint16_t computed = fl_check(frame + FL_COVERED_FROM, (size_t)(check - frame) - FL_COVERED_FROM);
    put_number(check, computed, FL_CHECK_SIZE, FL_CHECK_BIG_ENDIAN);
    memcpy(check + FL_CHECK_SIZE, fl_tail, FL_TAIL_SIZE);
    return (fl_size)(FL_OVERHEAD + size);
}

fl_size fl_encode(uint8_t *out, size_t room, uint8_t addr, uint8_t cmd, const uint8_t *data, size_t size)
{
    if (size > FL_MAX_DATA || room < FL_OVERHEAD + size)
        return 0;
    for (size_t at = 0; at < size; at++)
        out[FL_HEAD_SIZE + at] = data[at];
    return fl_seal(out, addr, cmd, size);
}
