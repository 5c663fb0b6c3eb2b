/* Files in memory: a shelf that tells of them, and behind it the bytes.
 *
 * One byte of the shelf says which of its entries are files, so a new file takes an old one's place in one
 * store, and a reset finds either.  One entry more may be of a file that is being written.
 */
#include "storage.h"

#include "port.h"

/* Blocks under way, and files; a board with little RAM says less. */
#ifndef STORAGE_WINDOW
#define STORAGE_WINDOW FL_WINDOW_MAX
#endif
#ifndef STORAGE_FILES
#define STORAGE_FILES 8 /* at most 8: a bit of a byte each */
#endif

#define NAME_MAX 23U /* bytes */
#define MAGIC (0x73686C66U ^ sizeof(shelf)) /* another layout is none of ours */
#define NONE 0xFFU

typedef struct entry {
    uint32_t at; /* where its bytes begin */
    uint32_t size;
    uint32_t crc;
    uint8_t name_size;
    uint8_t name[NAME_MAX];
} entry;

typedef struct shelf {
    uint32_t magic;
    uint32_t next;          /* bytes from the start that the file being written has */
    volatile uint8_t files; /* bit n: entry n is a file */
    volatile uint8_t upload; /* the entry of the file that is being written, or NONE */
    entry entries[STORAGE_FILES];
} shelf;

fl_transfer files;

static shelf *kept;
static uint8_t *bytes; /* behind the shelf */
static uint32_t room;  /* of them */
static uint8_t chosen;

static uint8_t bit(uint8_t number)
{
    return (uint8_t)(1U << number);
}

static bool is_file(uint8_t number)
{
    return (kept->files & bit(number)) != 0;
}

static bool has_name(const entry *one, const fl_file *file)
{
    return one->name_size == file->name_size && memcmp(one->name, file->name, file->name_size) == 0;
}

static bool is_same(const entry *one, const fl_file *file)
{
    return has_name(one, file) && one->size == file->size && one->crc == file->crc;
}

/* Return the file of that name, or NONE. */
static uint8_t number_of(const fl_file *file)
{
    for (uint8_t number = 0; number < STORAGE_FILES; number++)
        if (is_file(number) && has_name(&kept->entries[number], file))
            return number;
    return NONE;
}

static bool find(const fl_storage *storage, fl_file *file)
{
    (void)storage;
    uint8_t number = number_of(file);
    if (number == NONE)
        return false;
    chosen = number;
    file->size = kept->entries[number].size;
    file->crc = kept->entries[number].crc;
    return true;
}

/* Tell whether no file lies there. */
static bool is_free(uint32_t at, uint32_t size)
{
    if (size > room || at > room - size)
        return false;
    for (uint8_t number = 0; number < STORAGE_FILES; number++) {
        const entry *one = &kept->entries[number];
        if (is_file(number) && at < one->at + one->size && one->at < at + size)
            return false;
    }
    return true;
}

/* Find a place for so many bytes: at the start, or behind a file. */
static bool find_place(uint32_t size, uint32_t *at)
{
    *at = 0;
    bool found = is_free(0, size);
    for (uint8_t number = 0; number < STORAGE_FILES && !found; number++) {
        *at = kept->entries[number].at + kept->entries[number].size;
        found = is_file(number) && is_free(*at, size);
    }
    return found;
}

static uint8_t free_entry(void)
{
    for (uint8_t number = 0; number < STORAGE_FILES; number++)
        if (!is_file(number))
            return number;
    return NONE;
}

static fl_code begin_anew(const fl_file *file, fl_reply *reply)
{
    uint32_t at;
    uint8_t number = free_entry();
    kept->upload = NONE;
    if (number == NONE || !find_place(file->size, &at)) {
        reply->text = FL_TEXT("no room");
        return FL_FAILED;
    }
    entry *one = &kept->entries[number];
    *one = (entry){.at = at, .size = file->size, .crc = file->crc, .name_size = (uint8_t)file->name_size};
    memcpy(one->name, file->name, file->name_size);
    kept->next = 0;
    kept->upload = chosen = number;
    return FL_OK;
}

static fl_code begin(const fl_storage *storage, const fl_file *file, uint32_t *next, fl_reply *reply)
{
    (void)storage;
    if (file->name_size > NAME_MAX) {
        reply->text = FL_TEXT("a name has at most 23 bytes");
        return FL_BAD_VALUE;
    }
    uint8_t old = number_of(file), upload = kept->upload;
    if (old != NONE && is_same(&kept->entries[old], file)) { /* the reply to its close was lost */
        chosen = old;
        *next = file->size;
        return FL_OK;
    }
    if (upload != NONE && is_same(&kept->entries[upload], file)) {
        chosen = upload;
        *next = kept->next;
        return FL_OK;
    }
    return begin_anew(file, reply);
}

/* Return where the chosen file's bytes are, from an offset on. */
static uint8_t *place(uint32_t offset)
{
    return bytes + (size_t)(kept->entries[chosen].at + offset);
}

static bool write(const fl_storage *storage, uint32_t offset, const uint8_t *from, fl_size size)
{
    (void)storage;
    memcpy(place(offset), from, size);
    return true;
}

static void written(const fl_storage *storage, uint32_t next)
{
    (void)storage;
    kept->next = next;
}

static bool read(const fl_storage *storage, uint32_t offset, uint8_t *to, fl_size size)
{
    (void)storage;
    memcpy(to, place(offset), size);
    return true;
}

static fl_code commit(const fl_storage *storage, fl_reply *reply)
{
    (void)storage;
    (void)reply;
    const entry *one = &kept->entries[chosen];
    fl_file file = {one->name, one->name_size, 0, 0};
    uint8_t old = number_of(&file);
    uint8_t others = old == NONE ? kept->files : kept->files & (uint8_t)~bit(old);
    kept->files = others | bit(chosen);
    kept->upload = NONE;
    return FL_OK;
}

static void discard(const fl_storage *storage)
{
    (void)storage;
    kept->files = kept->files & (uint8_t)~bit(chosen);
    kept->upload = NONE;
}

static bool list(const fl_storage *storage, uint16_t index, fl_file *file, uint8_t *name, fl_size space)
{
    (void)storage;
    for (uint8_t number = 0; number < STORAGE_FILES; number++) {
        const entry *one = &kept->entries[number];
        if (!is_file(number) || index-- > 0)
            continue;
        file->size = one->size;
        file->crc = one->crc;
        file->name_size = one->name_size < space ? one->name_size : space;
        memcpy(name, one->name, file->name_size);
        return true;
    }
    return false;
}

static const fl_storage storage = {
    .window = STORAGE_WINDOW,
    .find = find,
    .begin = begin,
    .write = write,
    .written = written,
    .read = read,
    .commit = commit,
    .discard = discard,
    .list = list,
};

void storage_start(uint16_t boots)
{
    size_t size;
    kept = port_kept(&size);
    bytes = (uint8_t *)(kept + 1);
    room = (uint32_t)(size - sizeof *kept);
    if (kept->magic != MAGIC) { /* power has come just now */
        kept->files = 0;
        kept->upload = NONE;
        kept->magic = MAGIC;
    }
    fl_transfer_init(&files, &storage, boots);
}
