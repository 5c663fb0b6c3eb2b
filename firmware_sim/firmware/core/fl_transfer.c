/* Files over a storage. */
#include "fl_transfer.h"

#include "fl_crc32.h"

#define OPEN_HEAD 9U         /* bytes before the name: mode, size, CRC */
#define LIST_HEAD 10U        /* … before the name: index, size, CRC */
#define AT_HEAD 5U           /* … before the data: handle, offset */
#define HANDLES_PER_BOOT 31U /* odd, so that it takes 256 boots until the first handle is the same again */

enum { TO_READ, TO_WRITE };                 /* modes */
enum { CLOSED, READING, WRITING, ENDED };   /* states; a transfer that has ended well may be closed again */

/* The service stands first in the transfer. */
static fl_transfer *transfer_of(const fl_device *device)
{
    return (fl_transfer *)device->config->service;
}

static void end_reply(fl_reply *reply, const uint8_t *at)
{
    reply->size = (fl_size)(at - reply->data);
}

static fl_code no_such_transfer(fl_reply *reply)
{
    reply->text = FL_TEXT("no such transfer");
    return FL_BAD_VALUE;
}

/* Tell whether a request is about the file that is open in that way. */
static bool is_open(const fl_transfer *transfer, const fl_frame *request, uint8_t state)
{
    return transfer->state == state && request->data[0] == transfer->handle;
}

static fl_code open_to_read(fl_transfer *transfer, fl_file *file, fl_reply *reply)
{
    if (!transfer->storage->find(transfer->storage, file)) {
        reply->text = FL_TEXT("no such file");
        return FL_BAD_VALUE;
    }
    transfer->state = READING;
    transfer->next = 0;
    return FL_OK;
}

/* Tell whether the file is the one that was being written already, in this life of the device. */
static bool goes_on(const fl_transfer *transfer, uint32_t next)
{
    return next != 0 && next == transfer->next;
}

static fl_code open_to_write(fl_transfer *transfer, fl_file *file, fl_reply *reply)
{
    uint32_t next = 0;
    fl_code code = transfer->storage->begin(transfer->storage, file, &next, reply);
    if (code != FL_OK)
        return code;
    if (!goes_on(transfer, next) || file->size != transfer->size || file->crc != transfer->crc)
        transfer->map = 0;
    transfer->next = next;
    transfer->state = WRITING;
    return FL_OK;
}

static fl_code file_open(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    fl_transfer *transfer = transfer_of(device);
    const uint8_t *data = request->data;
    fl_file file = {data + OPEN_HEAD, (fl_size)(request->size - OPEN_HEAD), fl_get_u32(data + 1),
                    fl_get_u32(data + 5)};
    transfer->state = CLOSED;
    transfer->handle++;
    if (file.name_size == 0 || (data[0] != TO_READ && data[0] != TO_WRITE)) {
        reply->text = FL_TEXT("a mode is 0 or 1, and a file has a name");
        return FL_BAD_VALUE;
    }
    fl_code code =
        data[0] == TO_READ ? open_to_read(transfer, &file, reply) : open_to_write(transfer, &file, reply);
    if (code != FL_OK)
        return code;
    transfer->size = file.size;
    transfer->crc = file.crc;
    uint8_t *at = fl_put_u8(reply->data, transfer->handle);
    at = fl_put_u16(at, transfer->block);
    at = fl_put_u8(at, transfer->window);
    at = fl_put_u32(fl_put_u32(fl_put_u32(at, file.size), file.crc), transfer->next);
    end_reply(reply, at);
    return FL_OK;
}

/* Return the bytes that the file has from an offset on, at most a block. */
static fl_size bytes_at(const fl_transfer *transfer, uint32_t offset)
{
    uint32_t left = transfer->size - offset;
    return left < transfer->block ? (fl_size)left : transfer->block;
}

/* Take note of a block that is written: of the first that lacked, or of one of those behind it. */
static void take_note(fl_transfer *transfer, uint8_t behind)
{
    if (behind > 0) {
        transfer->map |= (uint32_t)1 << (behind - 1U);
        return;
    }
    bool there = true;
    for (; there; transfer->map >>= 1) {
        transfer->next += bytes_at(transfer, transfer->next);
        there = (transfer->map & 1U) != 0;
    }
    if (transfer->storage->written != NULL)
        transfer->storage->written(transfer->storage, transfer->next);
}

/* Write a block, unless it is there already or lies outside of the window. */
static fl_code write_block(fl_transfer *transfer, uint32_t offset, const uint8_t *bytes, fl_size size)
{
    if (offset < transfer->next)
        return FL_OK;
    uint32_t behind = (offset - transfer->next) / transfer->block;
    bool is_there = behind > 0 && behind <= FL_WINDOW_MAX && (transfer->map >> (behind - 1U) & 1U) != 0;
    if (behind >= transfer->window || is_there)
        return FL_OK;
    if (!transfer->storage->write(transfer->storage, offset, bytes, size))
        return FL_FAILED;
    take_note(transfer, (uint8_t)behind);
    return FL_OK;
}

static fl_code file_write(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    fl_transfer *transfer = transfer_of(device);
    if (!is_open(transfer, request, WRITING))
        return no_such_transfer(reply);
    uint32_t offset = fl_get_u32(request->data + 1);
    if (offset >= transfer->size || offset % transfer->block != 0) {
        reply->text = FL_TEXT("no block begins there");
        return FL_BAD_VALUE;
    }
    fl_size size = (fl_size)(request->size - AT_HEAD);
    if (size != bytes_at(transfer, offset))
        return FL_BAD_LENGTH;
    fl_code code = write_block(transfer, offset, request->data + AT_HEAD, size);
    if (code != FL_OK) {
        reply->text = FL_TEXT("cannot be written");
        return code;
    }
    uint8_t *at = fl_put_u32(fl_put_u8(reply->data, transfer->handle), offset);
    end_reply(reply, fl_put_u32(fl_put_u32(at, transfer->next), transfer->map));
    return FL_OK;
}

static fl_code file_read(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    const fl_transfer *transfer = transfer_of(device);
    if (!is_open(transfer, request, READING))
        return no_such_transfer(reply);
    uint32_t offset = fl_get_u32(request->data + 1);
    if (offset > transfer->size) {
        reply->text = FL_TEXT("behind the end of the file");
        return FL_BAD_VALUE;
    }
    uint8_t *at = fl_put_u32(fl_put_u8(reply->data, transfer->handle), offset);
    fl_size size = bytes_at(transfer, offset);
    if (!transfer->storage->read(transfer->storage, offset, at, size)) {
        reply->text = FL_TEXT("cannot be read");
        return FL_FAILED;
    }
    end_reply(reply, at + size);
    return FL_OK;
}

/* Tell whether the storage holds all of the file, and what it should; `room` has a block's bytes. */
static bool is_whole(const fl_transfer *transfer, uint8_t *room)
{
    uint32_t crc = 0, offset = 0;
    if (transfer->next != transfer->size)
        return false;
    while (offset < transfer->size) {
        fl_size size = bytes_at(transfer, offset);
        if (!transfer->storage->read(transfer->storage, offset, room, size))
            return false;
        crc = fl_crc32(crc, room, size);
        offset += size;
    }
    return crc == transfer->crc;
}

static fl_code end_writing(fl_transfer *transfer, fl_reply *reply)
{
    transfer->state = CLOSED;
    if (!is_whole(transfer, reply->data)) {
        transfer->storage->discard(transfer->storage);
        transfer->next = 0;
        reply->text = FL_TEXT("size or CRC-32 is wrong");
        return FL_FAILED;
    }
    return transfer->storage->commit(transfer->storage, reply);
}

static fl_code file_close(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    fl_transfer *transfer = transfer_of(device);
    if (transfer->state == CLOSED || request->data[0] != transfer->handle)
        return no_such_transfer(reply);
    fl_code code = transfer->state == WRITING ? end_writing(transfer, reply) : FL_OK;
    if (code != FL_OK)
        return code;
    transfer->state = ENDED;
    end_reply(reply, fl_put_u32(fl_put_u8(reply->data, transfer->handle), transfer->crc));
    return FL_OK;
}

static fl_code file_list(fl_device *device, const fl_frame *request, fl_reply *reply)
{
    const fl_storage *storage = transfer_of(device)->storage;
    uint16_t index = fl_get_u16(request->data);
    fl_file file = {NULL, 0, 0, 0};
    if (!storage->list(storage, index, &file, reply->data + LIST_HEAD, FL_MAX_DATA - LIST_HEAD)) {
        reply->text = FL_TEXT("no such file");
        return FL_BAD_VALUE;
    }
    uint8_t *at = fl_put_u16(reply->data, index);
    end_reply(reply, fl_put_u32(fl_put_u32(at, file.size), file.crc) + file.name_size);
    return FL_OK;
}

static const fl_command commands[] FL_FLASH = {
    {FL_FILE_OPEN, OPEN_HEAD, FL_MAX_DATA, file_open},
    {FL_FILE_WRITE, AT_HEAD, FL_MAX_DATA, file_write},
    {FL_FILE_READ, AT_HEAD, AT_HEAD, file_read},
    {FL_FILE_CLOSE, 1, 1, file_close},
    {FL_FILE_LIST, 2, 2, file_list},
};

/* Return a choice, or the most if there is none or it is more. */
static fl_size at_most(fl_size choice, fl_size most)
{
    return choice == 0 || choice > most ? most : choice;
}

void fl_transfer_init(fl_transfer *transfer, const fl_storage *storage, uint16_t boots)
{
    memset(transfer, 0, sizeof *transfer);
    transfer->service.commands = commands;
    transfer->service.command_count = sizeof commands / sizeof *commands;
    transfer->storage = storage;
    transfer->block = at_most(storage->block, FL_BLOCK_MAX);
    transfer->window = (uint8_t)at_most(storage->window, FL_WINDOW_MAX);
    transfer->handle = (uint8_t)(boots * HANDLES_PER_BOOT);
}
