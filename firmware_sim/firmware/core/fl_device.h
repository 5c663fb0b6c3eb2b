/* A device: tables of commands and parameters → replies, refusals and events.
 *
 * Ping, identify, get, set, telemetry and ledger are built in; docs/design.md has their payloads.  Numbers in
 * payloads are little-endian.  The caller owns all memory, the line and the clock: bytes and milliseconds go
 * in, frames come out through one callback.  Everything happens inside fl_device_step, so all of it belongs
 * to the main loop; an interrupt that receives bytes puts them in a ring, see fl_ring.h.
 *
 * With FL_SEQUENCED, requests 0x20 to 0x5F and their replies begin with a sequence byte, which no handler
 * sees.  The device keeps the last reply that it gave to a number from 1 to 255, and answers a request of the
 * same number and command with it again: what a host repeats because a reply was lost is carried out once.  A
 * host begins with identify, which makes the device forget.  0 is for requests that are always carried out.
 */
#ifndef FL_DEVICE_H
#define FL_DEVICE_H

#include "fl_flash.h"
#include "fl_frame.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FL_PROTOCOL_VERSION (1U + FL_SEQUENCED)
#define FL_MIN_PERIOD 10U /* ms between reports; what a small controller manages at 115,200 baud */

/* The idle gap in ms, for fl_device_config: max(50 ms, 4 byte times of 12 bits). */
#define FL_SHORTEST_GAP 50U
#define FL_IDLE_GAP(baudrate) ((uint16_t)((baudrate) < 960UL ? 48000UL / (baudrate) : FL_SHORTEST_GAP))

/* Why a command is refused, as in the negative reply. */
typedef enum fl_code {
    FL_OK, /* it is not */
    FL_UNKNOWN_COMMAND,
    FL_BAD_LENGTH,
    FL_BAD_VALUE,
    FL_BUSY,
    FL_NOT_PERMITTED,
    FL_FAILED
} fl_code;

/* A standard command's number. */
enum { FL_PING = 1, FL_IDENTIFY, FL_GET, FL_SET, FL_TELEMETRY, FL_LEDGER, FL_REFUSAL = 0x7F };

typedef struct fl_device fl_device;

/* The most bytes of a reply's data, behind the sequence byte if there is one. */
#define FL_MAX_REPLY (FL_MAX_DATA - FL_SEQUENCED)

/* What a handler answers. */
typedef struct fl_reply {
    uint8_t *data;    /* the reply's data, room for FL_MAX_REPLY bytes */
    fl_size size;     /* how many the handler has written; 0 to begin with */
    const char *text; /* why it refuses, in flash (FL_TEXT), at most FL_MAX_REPLY - 2 bytes of it are sent */
} fl_reply;

/* Carries a command out.  The request's size is within the command's limits.
 *
 * Returns FL_OK and sends the reply, or a code and sends a refusal.  A broadcast is carried out and not
 * answered.  Must not call fl_device_step; fl_device_event returns false meanwhile. */
typedef fl_code (*fl_handler)(fl_device *device, const fl_frame *request, fl_reply *reply);

/* A row of the table of commands, which lies in flash (FL_FLASH). */
typedef struct fl_command {
    uint8_t cmd; /* 0x20 to 0x5F for a device's own; a standard command's number replaces it */
    fl_size min; /* the request's fewest and most bytes of data */
    fl_size max;
    fl_handler handle;
} fl_command;

/* Commands that a library brings, such as fl_transfer: a table of its own, at the head of its state. */
typedef struct fl_service {
    const fl_command *commands; /* in flash */
    uint8_t command_count;
} fl_service;

/* A parameter's type: bytes, and whether there is a sign. */
enum { FL_SIGNED = 0x10, FL_U8 = 1, FL_U16 = 2, FL_U32 = 4, FL_I8 = 0x11, FL_I16 = 0x12, FL_I32 = 0x14 };

/* A row of the table of parameters, which lies in flash (FL_FLASH). */
typedef struct fl_parameter {
    uint8_t id;
    uint8_t type;
    void *value; /* where it lies: a uint8_t, int16_t … as the type says, written by fl_device_step only */
    int32_t min; /* a schema's bool is a U8 from 0 to 1; a U32 goes to 2,147,483,647 */
    int32_t max;
} fl_parameter;

/* What a device is.  Must outlive it; whatever is 0 or NULL does not exist. */
typedef struct fl_device_config {
    uint8_t addr;        /* 0x01 to 0xFE */
    uint8_t firmware[3]; /* version: major, minor, patch */
    uint16_t type;
    const char *name;    /* UTF-8, in flash (FL_FLASH); as much of it as fits is told */
    void *context;       /* yours, found by callbacks as device->config->context */

    /* Sends a frame; must take all of it, or lose all of it. */
    void (*send)(fl_device *device, const uint8_t *frame, fl_size size);

    const fl_command *commands; /* in flash */
    const fl_parameter *parameters;
    uint8_t command_count;
    uint8_t parameter_count;

    fl_service *service; /* looked up after the device's own commands */

    /* Tells whether a parameter may get a value within its limits; FL_OK, or a code and reply->text.  The
     * value is set after it has returned FL_OK. */
    fl_code (*allow)(fl_device *device, uint8_t parameter, int32_t value, fl_reply *reply);

    uint8_t telemetry; /* the number of the event that reports */
    uint16_t period;   /* ms between reports from the start, 0 for silence */
    /* Writes a report's data, at most FL_MAX_DATA bytes, and returns how many there are. */
    fl_size (*measure)(fl_device *device, uint8_t *data);

    uint16_t idle_gap; /* FL_IDLE_GAP(baudrate); 0 means 50 ms */
    /* Returns how many received bytes were lost before fl_device_step could get them. */
    uint32_t (*overruns)(fl_device *device);
} fl_device_config;

#if FL_SEQUENCED
/* The reply that is given again when its request comes again.  Private. */
typedef struct fl_kept {
    uint8_t cmd;
    uint8_t number; /* 0 if none is kept */
    fl_size size;
    uint8_t frame[FL_FRAME_MAX];
} fl_kept;
#endif

/* A device's state.  Everything but `config` is private. */
struct fl_device {
    const fl_device_config *config;
    uint32_t now;
    uint32_t heard_at;  /* when the last byte came */
    uint32_t report_at; /* when the next report is due, if the period is not 0 */
    uint16_t period;
    uint16_t boots;
    bool building; /* a reply or report is being made */
    fl_receiver receiver;
    uint8_t out[FL_FRAME_MAX]; /* the one frame that is being made */
#if FL_SEQUENCED
    fl_kept kept;
#endif
};

/* Begin.  `boots` counts the starts before this one, so that the host notices a reboot; 0 if none counts. */
void fl_device_init(fl_device *device, const fl_device_config *config, uint16_t boots, uint32_t now);

/* Do what is due: take a byte, answer what it completes, give half a frame up after silence, report.
 *
 * `byte` is the next byte received, 0 to 255, or negative if none waits; only that counts as silence.  `now`
 * is the time in ms, which may wrap around.  Call it in the main loop, at least once a ms. */
void fl_device_step(fl_device *device, int byte, uint32_t now);

/* Send an event.  `data` may be NULL if size is 0.
 *
 * Returns whether it was sent: not if the format cannot carry it, and not while a callback makes a reply or a
 * report, since that is made where the event would be. */
FL_MUST_CHECK bool fl_device_event(fl_device *device, uint8_t cmd, const uint8_t *data, size_t size);

/* Write a number as payloads have it, and return where the next may stand. */
static inline uint8_t *fl_put_u8(uint8_t *to, uint8_t number)
{
    *to = number;
    return to + 1;
}

static inline uint8_t *fl_put_u16(uint8_t *to, uint16_t number)
{
    to[0] = (uint8_t)number;
    to[1] = (uint8_t)(number >> 8);
    return to + 2;
}

static inline uint8_t *fl_put_u32(uint8_t *to, uint32_t number)
{
    return fl_put_u16(fl_put_u16(to, (uint16_t)number), (uint16_t)(number >> 16));
}

/* Read a number as payloads have it. */
static inline uint16_t fl_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t fl_get_u32(const uint8_t *from)
{
    return fl_get_u16(from) | (uint32_t)fl_get_u16(from + 2) << 16;
}

#ifdef __cplusplus
}
#endif

#endif
