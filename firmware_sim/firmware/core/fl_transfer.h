/* Files: the commands 0x70 to 0x74 of a device, over whatever storage it has.
 *
 * A file comes in blocks, in any order within a window, and each goes from the receiver to the storage at
 * once: there is no buffer for blocks, only the place of the first one that lacks and a map of those behind
 * it.  Reads are made where replies are made.  Every step may be repeated by the host.  A file that was
 * written replaces an older one only when its size and its CRC-32 hold.
 *
 * Plug it in by the config's `.service = &transfer.service`.
 */
#ifndef FL_TRANSFER_H
#define FL_TRANSFER_H

#include "fl_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Data bytes of a block: what a frame holds beside the handle and the offset. */
#define FL_BLOCK_MAX (FL_MAX_DATA - 5)
#define FL_WINDOW_MAX 32U /* blocks under way: the first that lacks, and 31 of those that the map tells of */

/* A command's number. */
enum { FL_FILE_OPEN = 0x70, FL_FILE_WRITE, FL_FILE_READ, FL_FILE_CLOSE, FL_FILE_LIST };

/* What is told of a file. */
typedef struct fl_file {
    const uint8_t *name; /* UTF-8, not ended by a 0 */
    fl_size name_size;   /* bytes */
    uint32_t size;
    uint32_t crc; /* CRC-32 of the whole file */
} fl_file;

typedef struct fl_storage fl_storage;

/* A storage: how files are kept.  Everything is called inside fl_device_step, for one file at a time.  Each may
 * block, but what the ring cannot hold meanwhile is lost, and sent again. */
struct fl_storage {
    void *context;  /* yours */
    fl_size block;  /* bytes that are written at once, at multiples of this; 0, or too many: FL_BLOCK_MAX */

    /* Blocks under way; 0, or too many: FL_WINDOW_MAX.  The ring should hold as many requests to read, of
     * FL_OVERHEAD + 5 bytes each, since they come while a block is sent. */
    uint8_t window;

    /* Choose a file by name, for the reads that follow, and tell its size and CRC.  Returns whether it exists. */
    bool (*find)(const fl_storage *storage, fl_file *file);

    /* Choose a file to write, which replaces none before it is committed.
     *
     * `*next` is 0.  A storage that has part of this same file already (name, size and CRC agree) may raise it
     * to how many bytes it has, a multiple of the block, or the whole size: then the host goes on there.
     * Returns FL_OK, or a code and reply->text. */
    fl_code (*begin)(const fl_storage *storage, const fl_file *file, uint32_t *next, fl_reply *reply);

    /* Write a block of the chosen file; they come in any order, none beyond the file's size, and each once, but
     * that those behind `*next` come anew after `begin`.  Returns whether it is kept. */
    bool (*write)(const fl_storage *storage, uint32_t offset, const uint8_t *bytes, fl_size size);

    /* May be NULL.  Everything before `next` is written; a storage that outlives a reset can remember it for
     * `begin`. */
    void (*written)(const fl_storage *storage, uint32_t next);

    /* Read from the chosen file, never beyond its size; also what was written to it.  Returns whether it
     * could. */
    bool (*read)(const fl_storage *storage, uint32_t offset, uint8_t *bytes, fl_size size);

    /* Let the chosen file, which is whole, be the file of its name from now on: in one step, so that a reset
     * leaves either the old or the new one.  Returns FL_OK, or a code and reply->text. */
    fl_code (*commit)(const fl_storage *storage, fl_reply *reply);

    /* Forget the chosen file, which was being written and has come out wrong. */
    void (*discard)(const fl_storage *storage);

    /* Tell size and CRC of the file of a number, from 0 up.  Its name goes to `name`, which has room for `room`
     * bytes, and its length to file->name_size.  Returns whether there is one. */
    bool (*list)(const fl_storage *storage, uint16_t index, fl_file *file, uint8_t *name, fl_size room);
};

/* The state of transfers.  Everything but `service` is private. */
typedef struct fl_transfer {
    fl_service service; /* for the device's config; must stand first */
    const fl_storage *storage;
    uint32_t size; /* of the open file */
    uint32_t crc;
    uint32_t next; /* the first byte that lacks */
    uint32_t map;  /* bit n: the block n + 1 blocks behind that one is there */
    uint8_t handle;
    uint8_t state;
    fl_size block;
    uint8_t window;
} fl_transfer;

/* Begin, without an open file.  `boots` as for fl_device_init: after a reset other handles are given out. */
void fl_transfer_init(fl_transfer *transfer, const fl_storage *storage, uint16_t boots);

#ifdef __cplusplus
}
#endif

#endif
