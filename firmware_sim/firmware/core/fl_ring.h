/* A ring of received bytes between an interrupt and the main loop: one producer, one consumer, no locks.
 *
 * The interrupt calls fl_ring_put and fl_ring_lose, the main loop fl_ring_get and fl_ring_overruns.  What one
 * side writes the other only reads, and an index is one load or store on an 8-bit AVR as on a Cortex-M, so
 * neither has to keep the other out.  Both sides must run on one core; threads of a larger system need that
 * system's queues.
 */
#ifndef FL_RING_H
#define FL_RING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of room: a power of two, at most 128 on an 8-bit AVR.  What comes while the main loop is busy must
 * fit: 128 bytes are 11 ms at 115,200 baud. */
#ifndef FL_RING_SIZE
#define FL_RING_SIZE 128
#endif

#if FL_RING_SIZE < 2 || FL_RING_SIZE > 32768 || (FL_RING_SIZE & (FL_RING_SIZE - 1)) != 0
#error "FL_RING_SIZE is a power of two from 2 to 32,768"
#endif

#if FL_RING_SIZE <= 128
typedef uint8_t fl_ring_index;
#elif defined(__AVR__)
#error "an 8-bit AVR loads one byte at once: FL_RING_SIZE is at most 128"
#else
typedef uint16_t fl_ring_index;
#endif

/* A ring; all zeros is an empty one, so a static one needs no beginning.  Everything is private.
 * The indexes count on beyond the size, so that a full ring is not an empty one; volatile keeps the byte and
 * the index that publishes it in order. */
typedef struct fl_ring {
    volatile fl_ring_index put; /* bytes that went in, modulo the index's range; the producer's */
    volatile fl_ring_index got; /* bytes that came out; the consumer's */
    volatile uint32_t overruns; /* the producer's */
    volatile uint8_t bytes[FL_RING_SIZE];
} fl_ring;

/* Empty the ring and forget the overruns.  No interrupt may use it meanwhile. */
static inline void fl_ring_init(fl_ring *ring)
{
    ring->put = 0;
    ring->got = 0;
    ring->overruns = 0;
}

/* Producer: tell that the hardware has lost a byte before it could be put. */
static inline void fl_ring_lose(fl_ring *ring)
{
    ring->overruns = ring->overruns + 1;
}

/* Producer: put a received byte in.  If there is no room it is lost, and counted. */
static inline void fl_ring_put(fl_ring *ring, uint8_t byte)
{
    fl_ring_index put = ring->put;
    if ((fl_ring_index)(put - ring->got) == FL_RING_SIZE) {
        fl_ring_lose(ring);
    } else {
        ring->bytes[put & (FL_RING_SIZE - 1)] = byte;
        ring->put = (fl_ring_index)(put + 1U);
    }
}

/* Consumer: take the oldest byte out.  Returns it, or -1 if the ring is empty. */
static inline int16_t fl_ring_get(fl_ring *ring)
{
    fl_ring_index got = ring->got;
    if (got == ring->put)
        return -1;
    uint8_t byte = ring->bytes[got & (FL_RING_SIZE - 1)];
    ring->got = (fl_ring_index)(got + 1U);
    return byte;
}

/* Consumer: return how many bytes were lost so far, modulo 2^32.
 *
 * An AVR reads four bytes one by one, and the interrupt may count in between.  So they are read until they
 * are the same twice; two readings that are torn alike would take 255 interrupts within them. */
static inline uint32_t fl_ring_overruns(const fl_ring *ring)
{
    uint32_t before, overruns = ring->overruns;
    do {
        before = overruns;
        overruns = ring->overruns;
    } while (before != overruns);
    return overruns;
}

#ifdef __cplusplus
}
#endif

#endif
