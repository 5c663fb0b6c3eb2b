/* The C core in a loop, without a Python object: what the extension is measured against. */
#include "fl_feed.h"

#define BATCH 512 /* as in the extension */

size_t bare_decode(const uint8_t *bytes, size_t size, size_t chunk);

/* Decode a stream in chunks and return how many frames it has. */
size_t bare_decode(const uint8_t *bytes, size_t size, size_t chunk)
{
    fl_receiver receiver;
    fl_frame frames[BATCH];
    size_t found = 0;
    fl_receiver_init(&receiver);
    for (size_t at = 0; at < size; at += chunk) {
        fl_block block = {bytes + at, size - at < chunk ? size - at : chunk};
        size_t count;
        while ((count = fl_receiver_feed(&receiver, &block, frames, BATCH)) > 0)
            found += count;
    }
    return found;
}
