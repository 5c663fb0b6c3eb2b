/* A device with files for tests: the demo's storage in memory that lives on when the device starts again, or a
 * storage that fails. */
#include "fl_crc32.h"
#include "port.h"
#include "storage.h"

#define ROOM 65536U
#define KEPT 4096U

enum { WORKING, BROKEN };

static uint8_t sent[ROOM];
static uint32_t sent_size;
static union {
    uint64_t aligned;
    uint8_t bytes[KEPT];
} memory;
static fl_device device;

static void send(fl_device *from, const uint8_t *frame, fl_size size)
{
    (void)from;
    if (sent_size + size <= ROOM)
        memcpy(sent + sent_size, frame, size);
    sent_size += size;
}

static bool find_any(const fl_storage *storage, fl_file *file)
{
    (void)storage;
    file->size = 100;
    return true;
}

static fl_code begin_any(const fl_storage *storage, const fl_file *file, uint32_t *next, fl_reply *reply)
{
    (void)storage;
    (void)reply;
    *next = file->size; /* so that close reads it */
    if (file->size < 100)
        *next = 0;
    return FL_OK;
}

static bool cannot_write(const fl_storage *storage, uint32_t offset, const uint8_t *bytes, fl_size size)
{
    (void)storage;
    (void)offset;
    (void)bytes;
    (void)size;
    return false;
}

static bool cannot_read(const fl_storage *storage, uint32_t offset, uint8_t *bytes, fl_size size)
{
    (void)storage;
    (void)offset;
    (void)bytes;
    (void)size;
    return false;
}

static fl_code cannot_commit(const fl_storage *storage, fl_reply *reply)
{
    (void)storage;
    reply->text = FL_TEXT("worn out");
    return FL_NOT_PERMITTED;
}

static void forget(const fl_storage *storage)
{
    (void)storage;
}

static bool list_none(const fl_storage *storage, uint16_t index, fl_file *file, uint8_t *name, fl_size room)
{
    (void)storage;
    (void)index;
    (void)file;
    (void)name;
    (void)room;
    return false;
}

static const fl_storage broken = {
    .block = 16,
    .find = find_any,
    .begin = begin_any,
    .write = cannot_write,
    .read = cannot_read,
    .commit = cannot_commit,
    .discard = forget,
    .list = list_none,
};

static const fl_device_config config = {.addr = 1, .send = send, .service = &files.service};

void *port_kept(size_t *size)
{
    *size = sizeof memory;
    return memory.bytes;
}

void bench_start(uint32_t storage, uint32_t boots, uint32_t now);
void bench_power_up(uint32_t filler);
void bench_step(int32_t byte, uint32_t now);
uint32_t bench_take(uint8_t *to);
uint32_t bench_crc(uint32_t crc, const uint8_t *bytes, uint32_t size);

void bench_start(uint32_t storage, uint32_t boots, uint32_t now)
{
    sent_size = 0;
    storage_start((uint16_t)boots);
    if (storage == BROKEN)
        fl_transfer_init(&files, &broken, (uint16_t)boots);
    fl_device_init(&device, &config, (uint16_t)boots, now);
}

void bench_power_up(uint32_t filler)
{
    memset(memory.bytes, (int)filler, sizeof memory);
}

void bench_step(int32_t byte, uint32_t now)
{
    fl_device_step(&device, byte, now);
}

uint32_t bench_take(uint8_t *to)
{
    uint32_t size = sent_size;
    memcpy(to, sent, size <= ROOM ? size : ROOM);
    sent_size = 0;
    return size;
}

uint32_t bench_crc(uint32_t crc, const uint8_t *bytes, uint32_t size)
{
    return fl_crc32(crc, bytes, size);
}
