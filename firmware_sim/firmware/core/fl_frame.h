/* Frames: bytes on a serial line → frames, and back.
 *
 * The rules are those of framelink/wire/SPEC.md: rescan, outer first, tail before check, early length
 * rejection, the idle gap, every byte accounted for.  The caller owns all memory; nothing here allocates,
 * keeps globals, or does I/O, and every function is re-entrant for different receivers.
 */
#ifndef FL_FRAME_H
#define FL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fl_config.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FL_MUST_CHECK __attribute__((warn_unused_result))
#define FL_NOT_INLINE __attribute__((noinline)) /* one copy, for size */
#else
#define FL_MUST_CHECK
#define FL_NOT_INLINE
#endif


#define FL_HOST 0x00U      /* the host's address */
#define FL_BROADCAST 0xFFU /* the address that every device listens to and none answers from */
#define FL_REPLY 0x80U     /* the bit of a command that marks a reply to it */

#if FL_FRAME_MAX < 256
typedef uint8_t fl_size; /* a number of bytes of a frame */
#else
typedef uint16_t fl_size;
#endif

/* One frame's content.  `data` points into memory of whoever made the frame. */
typedef struct fl_frame {
    const uint8_t *data;
    fl_size size; /* bytes of data */
    uint8_t addr; /* 0 where the format has no such field */
    uint8_t cmd;
} fl_frame;

/* The place in a frame that the next byte belongs to. */
typedef enum fl_state {
    FL_STATE_HEADER,
    FL_STATE_ADDRESS,
    FL_STATE_COMMAND,
    FL_STATE_LENGTH,
    FL_STATE_DATA,
    FL_STATE_CHECK,
    FL_STATE_TAIL
} fl_state;

/* What a ledger counts. */
typedef enum fl_count {
    FL_COUNT_NOISE,   /* bytes that begin no header */
    FL_COUNT_LENGTH,  /* first bytes of candidates with a length that is not allowed */
    FL_COUNT_TAIL,    /* … whose tail did not come */
    FL_COUNT_CHECK,   /* … whose check did not hold */
    FL_COUNT_TIMEOUT, /* … that stayed incomplete while the line was silent */
    FL_COUNT_FRAMES,  /* frames delivered */
    FL_COUNTS
} fl_count;

#define FL_REASONS FL_COUNT_FRAMES /* the counts before it are of bytes that belong to no frame */

/* Where every received byte went: delivered + noise + pending = received, always; modulo 2^32. */
typedef struct fl_ledger {
    uint32_t count[FL_COUNTS];
    uint32_t delivered; /* bytes of the frames delivered */
} fl_ledger;

/* A receiver.  Everything but the ledger is private. */
typedef struct fl_receiver {
    fl_frame frame; /* the last one delivered */
    fl_size used;   /* bytes held */
    fl_size taken;  /* the first of them belong to the last frame delivered */
    fl_size judged; /* the first of the others, which may still become a frame */
    fl_size whole;  /* bytes of that frame, once the head is complete */
    fl_ledger ledger;
    uint8_t bytes[FL_FRAME_MAX];
} fl_receiver;

/* Begin: nothing received yet. */
void fl_receiver_init(fl_receiver *receiver);

/* Take the next byte of the stream.
 *
 * Returns the frame that it completes, or NULL.  A byte that ends the hope for a candidate can reveal
 * several frames inside it: call fl_receiver_next until it returns NULL.  (Whoever does not gets them with
 * the following bytes; none is lost.)  The frame and its data hold until the next call with this receiver.
 */
FL_MUST_CHECK const fl_frame *fl_receiver_push(fl_receiver *receiver, uint8_t byte);

/* Return the next frame among the bytes that are held already, or NULL. */
FL_MUST_CHECK const fl_frame *fl_receiver_next(fl_receiver *receiver);

/* Tell that the line is silent: the pending candidate is given up, and what lies inside it is searched.
 *
 * Returns a frame that lay inside it, or NULL; call it until it returns NULL.  Then nothing is pending.
 * Silence means max(50 ms, 4 byte times of 12 bits) without a byte while the ring was empty, too.
 */
FL_MUST_CHECK const fl_frame *fl_receiver_idle(fl_receiver *receiver);

/* Return the place in a frame that the next byte belongs to.  Frames must have been fetched before, see
 * fl_receiver_push. */
fl_state fl_receiver_state(const fl_receiver *receiver);

/* Return the bytes of the candidate that is still possible; less than FL_FRAME_MAX. */
fl_size fl_receiver_pending(const fl_receiver *receiver);

/* Return the bytes received so far, modulo 2^32. */
uint32_t fl_receiver_received(const fl_receiver *receiver);

/* Tell whether a frame with that command may carry that many data bytes. */
bool fl_length_allowed(uint8_t cmd, size_t size);

/* Make a frame around data that stands at `frame + FL_HEAD_SIZE` already.
 *
 * `frame` has room for FL_OVERHEAD + size bytes.  Returns the bytes of the whole frame; 0, and nothing is
 * written, if the format does not allow that size for that command.
 */
FL_MUST_CHECK fl_size fl_seal(uint8_t *frame, uint8_t addr, uint8_t cmd, size_t size);

/* Write a frame's bytes to `out`, which has room for `room` bytes.
 *
 * Returns how many there are; 0, and nothing is written, if there is no room for them or if the format
 * does not allow that size for that command.  `data` may be NULL if size is 0, and must not overlap `out`.
 */
FL_MUST_CHECK fl_size fl_encode(uint8_t *out, size_t room, uint8_t addr, uint8_t cmd, const uint8_t *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
