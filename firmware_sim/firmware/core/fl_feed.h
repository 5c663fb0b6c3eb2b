/* For hosts: the same receiver, fed in blocks.  A whole frame in a block is found, checked and given out
 * where it lies, without copying; frames, ledger and state are those of fl_receiver_push, byte by byte.
 */
#ifndef FL_FEED_H
#define FL_FEED_H

#include "fl_frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A part of the stream; fl_receiver_feed moves its beginning on. */
typedef struct fl_block {
    const uint8_t *bytes;
    size_t size;
} fl_block;

/* Take bytes from a block and write the frames that they complete to `frames`, at most `max` (1 or more).
 *
 * Returns how many; call it until it returns 0, then the block is used up.  The frames and their data hold
 * until the next call with this receiver, or until the block's memory is used for something else.
 */
FL_MUST_CHECK size_t fl_receiver_feed(fl_receiver *receiver, fl_block *block, fl_frame *frames, size_t max);

#ifdef __cplusplus
}
#endif

#endif
