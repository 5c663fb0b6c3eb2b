/* Compile-time choices: the variant of the frame, the largest payload, the kind of CRC table, the profile.
 *
 * The values here are the default frame's.  To choose others, write a header that defines what differs and
 * compile everything with -DFL_CONFIG='"my_config.h"'.  `python -m firmware_sim.c_config FORMAT.toml` writes
 * such a header for a frame format file.
 */
#ifndef FL_CONFIG_H
#define FL_CONFIG_H

#ifdef FL_CONFIG
#include FL_CONFIG
#endif

/* The largest number of data bytes.  A receiver needs this many bytes of RAM and some 50 more. */
#ifndef FL_MAX_DATA
#define FL_MAX_DATA 64
#endif

/* 1 to 4 bytes that begin every frame, and 0 to 4 that end it (an unused 0 where there are none). */
#ifndef FL_HEADER
#define FL_HEADER 0x55, 0xAA
#define FL_HEADER_SIZE 2
#endif
#ifndef FL_TAIL
#define FL_TAIL 0x0D, 0x0A
#define FL_TAIL_SIZE 2
#endif

/* Where the fields stand, in bytes after the header; -1 for an address or a command that does not exist. */
#ifndef FL_ADDR_PLACE
#define FL_ADDR_PLACE 0
#endif
#ifndef FL_CMD_PLACE
#define FL_CMD_PLACE 1
#endif
#ifndef FL_LEN_PLACE
#define FL_LEN_PLACE 2
#endif

/* The len field: 1 or 2 bytes, the order of 2, and whether it counts the whole frame or the data alone. */
#ifndef FL_LEN_SIZE
#define FL_LEN_SIZE 1
#endif
#ifndef FL_LEN_BIG_ENDIAN
#define FL_LEN_BIG_ENDIAN 0
#endif
#ifndef FL_LEN_COUNTS_FRAME
#define FL_LEN_COUNTS_FRAME 0
#endif

/* Which numbers of data bytes a command may carry, besides at most FL_MAX_DATA: an expression. */
#ifndef FL_LENGTH_ALLOWED
#define FL_LENGTH_ALLOWED(cmd, size) 1
#endif

/* The check: which, its byte order, and whether it covers the header too. */
#define FL_CHECK_NONE 0
#define FL_CHECK_CRC16 1
#define FL_CHECK_SUM16 2
#define FL_CHECK_SUM8 3
#define FL_CHECK_XOR8 4
#ifndef FL_CHECK
#define FL_CHECK FL_CHECK_CRC16
#endif
#ifndef FL_CHECK_BIG_ENDIAN
#define FL_CHECK_BIG_ENDIAN 0
#endif
#ifndef FL_CHECK_COVERS_HEADER
#define FL_CHECK_COVERS_HEADER 0
#endif

/* The CRC, in the terms of the public catalogue of CRCs (the polynomial with its highest power first). */
#ifndef FL_CRC_POLY
#define FL_CRC_POLY 0x8005
#endif
#ifndef FL_CRC_INIT
#define FL_CRC_INIT 0xFFFF
#endif
#ifndef FL_CRC_REFLECTED
#define FL_CRC_REFLECTED 1
#endif
#ifndef FL_CRC_XOROUT
#define FL_CRC_XOROUT 0x0000
#endif

/* How the CRC is computed: without a table, with one of 16 or 256 numbers, or by the platform; for hosts, 16
 * bytes at once with 16 tables of 256 numbers or, where the processor has it, carry-less multiplication. */
#define FL_CRC_TABLE_NONE 0
#define FL_CRC_TABLE_16 16
#define FL_CRC_TABLE_256 256
#define FL_CRC_TABLE_SLICES 4096
#define FL_CRC_TABLE_PLATFORM 1
#ifndef FL_CRC_TABLE
#define FL_CRC_TABLE FL_CRC_TABLE_NONE
#endif

/* Whether a device speaks the sequenced profile, see fl_device.h: what a host repeats is answered, and not
 * carried out twice.  It costs a device FL_FRAME_MAX and some 4 bytes of RAM. */
#ifndef FL_SEQUENCED
#define FL_SEQUENCED 0
#endif

/* --- What follows from the choices --------------------------------------------------------------------- */

#define FL_CHECK_SIZE (FL_CHECK == FL_CHECK_NONE ? 0 : FL_CHECK <= FL_CHECK_SUM16 ? 2 : 1)
#define FL_HEAD_SIZE (FL_HEADER_SIZE + (FL_ADDR_PLACE >= 0) + (FL_CMD_PLACE >= 0) + FL_LEN_SIZE)
#define FL_OVERHEAD (FL_HEAD_SIZE + FL_CHECK_SIZE + FL_TAIL_SIZE)
#define FL_FRAME_MAX (FL_OVERHEAD + FL_MAX_DATA)
#define FL_COVERED_FROM (FL_CHECK_COVERS_HEADER ? 0 : FL_HEADER_SIZE)

#if FL_HEADER_SIZE < 1 || FL_HEADER_SIZE > 4 || FL_TAIL_SIZE < 0 || FL_TAIL_SIZE > 4
#error "a header has 1 to 4 bytes, a tail 0 to 4"
#endif
#if FL_LEN_SIZE != 1 && FL_LEN_SIZE != 2
#error "FL_LEN_SIZE is 1 or 2"
#endif
#if FL_MAX_DATA < 0 || FL_MAX_DATA + (FL_LEN_COUNTS_FRAME ? FL_OVERHEAD : 0) > (FL_LEN_SIZE == 1 ? 255 : 65535)
#error "FL_MAX_DATA is more than the len field can express"
#endif
#if FL_SEQUENCED != 0 && FL_SEQUENCED != 1
#error "FL_SEQUENCED is 0 or 1"
#endif
#if FL_FRAME_MAX > 65535
#error "a frame has at most 65,535 bytes"
#endif

#endif
