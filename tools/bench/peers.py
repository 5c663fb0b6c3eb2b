"""The decoders that users pick today, each as a function of a stream that it can decode."""

from __future__ import annotations

import contextlib
import ctypes
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import crcmod.predefined

READ = 4_096  # bytes a feed; what a busy line's driver hands over at once

_modbus = crcmod.predefined.mkPredefinedCrcFun("modbus")

Decode = Callable[[], int]
"""Decodes a whole stream, and returns how many frames it found."""


@dataclass(frozen=True)
class Peer:
    """A contender.

    Attributes:
        name: What it is.
        make: (payload size, number of frames) → a function that decodes that many frames.
        slow: Whether it gets fewer frames a round.
    """

    name: str
    make: Callable[[int, int], Decode]
    slow: bool = False


def payloads(size: int, count: int) -> list[bytes]:
    """Return seeded random payloads."""
    rng = random.Random(size)
    return [rng.randbytes(size) for _ in range(count)]


def ours_stream(size: int, count: int) -> bytes:
    """Return frames of ours with these payloads."""
    from framelink.wire import Frame, encode

    return b"".join(encode(Frame(1, n & 0x7F, data)) for n, data in enumerate(payloads(size, count)))


def ours_chunks(size: int, count: int, chunk: int = READ) -> list[bytes]:
    """Return the same, cut into what one read brings."""
    stream = ours_stream(size, count)
    return [stream[at : at + chunk] for at in range(0, len(stream), chunk)]


def engine(language: str) -> Any:
    """Return what finds the frames, in C or in Python."""
    from framelink.wire import Receiver
    from framelink.wire.engine import LANGUAGE
    from framelink.wire.python_engine import PythonEngine

    if language == "Python":
        return PythonEngine()
    if language != LANGUAGE:
        raise RuntimeError("the extension is not in use; see `framelink --version`")
    return Receiver()


def ours(size: int, count: int, *, chunk: int = READ, language: str = "C") -> Decode:
    """Our Receiver."""
    chunks = ours_chunks(size, count, chunk)
    feed = engine(language).feed

    def decode() -> int:
        found = 0
        for one in chunks:
            found += len(feed(one))
        return found

    return decode


def ours_read(size: int, count: int, *, language: str = "C") -> Decode:
    """Our Receiver, a loop over the frames, and all three attributes read."""
    chunks = ours_chunks(size, count)
    feed = engine(language).feed

    def decode() -> int:
        found = 0
        for one in chunks:
            for frame in feed(one):
                _addr, _cmd, _data = frame.addr, frame.cmd, frame.data
                found += 1
        return found

    return decode


def bare_core(size: int, count: int) -> Decode:
    """The C core in a loop that makes no Python objects, with the extension's own compiler flags."""
    from firmware_sim.toolchain import CORE, HOST, build

    flags = ("-O3", "-fPIC", "-shared", "-DFL_MAX_DATA=255", "-DFL_CRC_TABLE=4096")
    sources = (Path(__file__).with_name("bare.c"), CORE / "fl_frame.c", CORE / "fl_feed.c")
    decode_in_c = ctypes.CDLL(str(build(HOST, sources, flags=flags, name="bare.so"))).bare_decode
    decode_in_c.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
    decode_in_c.restype = ctypes.c_size_t
    stream = ours_stream(size, count)
    return lambda: int(decode_in_c(stream, len(stream), READ))


class _Plain(NamedTuple):
    addr: int
    cmd: int
    data: bytes


def _prototype(
    make: Callable[[int, int, bytes], Any], crc: Callable[[bytes], int]
) -> Callable[[int, int], Decode]:
    """bytes.find, slices and a CRC in C: no states, no ledger, no partial frames."""

    def decode(buffer: bytes) -> list[Any]:
        found: list[Any] = []
        at, limit = 0, len(buffer)
        while True:
            start = buffer.find(b"\x55\xaa", at)
            if start < 0 or limit - start < 5:
                return found
            end = start + 9 + buffer[start + 4]
            if end > limit:
                return found
            good = buffer[end - 2 : end] == b"\r\n"
            if good and crc(buffer[start + 2 : end - 4]) == buffer[end - 4] | buffer[end - 3] << 8:
                found.append(make(buffer[start + 2], buffer[start + 3], buffer[start + 5 : end - 4]))
                at = end
            else:
                at = start + 1

    def made(size: int, count: int) -> Decode:
        stream = ours_stream(size, count)
        return lambda: len(decode(stream))

    return made


def prototype_fastcrc(size: int, count: int) -> Decode:
    """The prototype with fastcrc's CRC."""
    from fastcrc import crc16

    return _prototype(_Plain, crc16.modbus)(size, count)


def _cobs(size: int, count: int, crc: Callable[[bytes], int]) -> Decode:
    """COBS in C, bytes.split, a CRC in C."""
    from cobs import cobs

    frames = [b"\x01\x10" + data for data in payloads(size, count)]
    wires = (cobs.encode(one + crc(one).to_bytes(2, "little")) for one in frames)
    stream = b"\x00".join(wires) + b"\x00"

    def decode() -> int:
        found = []
        for part in stream.split(b"\x00"):
            body = cobs.decode(part)
            if len(body) >= 4 and crc(body) == 0:
                found.append((body[0], body[1], body[2:-2]))
        return len(found)

    return decode


def cobs_crcmod(size: int, count: int) -> Decode:
    """COBS with crcmod's CRC, whose C works a byte at a time."""
    return _cobs(size, count, _modbus)


def cobs_fastcrc(size: int, count: int) -> Decode:
    """COBS with fastcrc's CRC, the fastest on the package index."""
    from fastcrc import crc16

    return _cobs(size, count, crc16.modbus)


def yahdlc(size: int, count: int) -> Decode:
    """Yahdlc, in C; a frame a call, since it gives the first one of a buffer and drops the rest."""
    import yahdlc as hdlc

    frames = [hdlc.frame_data(data) for data in payloads(size, count)]
    return lambda: sum(len(hdlc.get_data(one)[0]) == size for one in frames)


def yahdlc_encode() -> Callable[[bytes], bytes]:
    """Return yahdlc's encoder."""
    import yahdlc as hdlc

    encode: Callable[[bytes], bytes] = hdlc.frame_data
    return encode


def _construct(size: int, count: int, *, compiled: bool) -> Decode:
    import construct as c

    frame = c.Struct(
        "header" / c.Const(b"\x55\xaa"),
        "addr" / c.Int8ul,
        "cmd" / c.Int8ul,
        "len" / c.Int8ul,
        "data" / c.Bytes(c.this.len),
        "check" / c.Int16ul,
        "tail" / c.Const(b"\r\n"),
    )
    parse = (frame.compile() if compiled else frame).parse_stream
    stream = ours_stream(size, count)

    def decode() -> int:
        source, found = io.BytesIO(stream), 0
        while source.tell() < len(stream):
            one = parse(source)
            found += _modbus(bytes((one.addr, one.cmd, one.len)) + one.data) == one.check
        return found

    return decode


def construct_compiled(size: int, count: int) -> Decode:
    """Construct's Struct, compiled, and a CRC in C."""
    return _construct(size, count, compiled=True)


def construct_interpreted(size: int, count: int) -> Decode:
    """Construct's Struct as it is, and a CRC in C."""
    return _construct(size, count, compiled=False)


def bytewise_machine(size: int, count: int) -> Decode:
    """A state machine in Python, a byte at a time."""
    stream = ours_stream(size, count)

    def decode() -> int:
        found, state, body, want = [], 0, bytearray(), 0
        for byte in stream:
            if state == 0:
                state = 1 if byte == 0x55 else 0
            elif state == 1:
                state, body = (2, bytearray()) if byte == 0xAA else (0, body)
            elif state == 2:
                body.append(byte)
                if len(body) == 3:
                    want = byte + 5
                    state = 3
            elif state == 3:
                body.append(byte)
                if len(body) == want:
                    state = 4
            elif state == 4:
                state = 5 if byte == 0x0D else 0
            else:
                if byte == 0x0A and _modbus(bytes(body)) == 0:
                    found.append(_Plain(body[0], body[1], bytes(body[3:-2])))
                state = 0
        return len(found)

    return decode


def pymavlink(size: int, count: int) -> Decode:
    """Pymavlink's parse_buffer, on messages of about that payload."""
    from pymavlink.dialects.v20 import common as mavlink

    out: Any = mavlink.MAVLink(None)
    kinds = {
        16: lambda data: out.ping_encode(5, 1, data[0] | 1, 1),
        64: lambda data: out.statustext_encode(6, data[:50]),
    }
    make: Any = kinds.get(
        size, lambda data: out.file_transfer_protocol_encode(0, 1, data[0] | 1, list(data + bytes(51))[:251])
    )
    stream = b"".join(make(bytes(b | 1 for b in data)).pack(out) for data in payloads(size, count))
    receiver = mavlink.MAVLink(None)
    receiver.robust_parsing = True

    def decode() -> int:
        found = receiver.parse_buffer(stream) or []
        return sum(one.get_type() != "BAD_DATA" for one in found)

    return decode


def pymodbus(size: int, count: int) -> Decode:
    """Pymodbus' RTU framer, on write-multiple-registers requests of that payload."""
    from pymodbus.framer import FramerRTU
    from pymodbus.pdu import DecodePDU

    framer = FramerRTU(DecodePDU(is_server=True))
    bodies = [bytes([1, 16, 0, 0, 0, size // 2, size]) + data for data in payloads(size, count)]
    stream = b"".join(one + FramerRTU.compute_CRC(one).to_bytes(2, "big") for one in bodies)

    def decode() -> int:
        found, at = 0, 0
        while at < len(stream):
            used, *_rest = framer.decode(stream[at : at + size + 9])
            at += used or size + 9
            found += used > 0
        return found

    return decode


def py_serial_transfer(size: int, count: int) -> Decode:
    """PySerialTransfer's receiver, on a line in memory."""
    from pySerialTransfer.CRC import CRC
    from pySerialTransfer.pySerialTransfer import SerialTransfer

    class Line:
        is_open = True

        def __init__(self, data: bytes) -> None:
            self.data, self.at = data, 0

        @property
        def in_waiting(self) -> int:
            return len(self.data) - self.at

        def read(self, size: int = 1) -> bytes:
            self.at += size
            return self.data[self.at - size : self.at]

    link: Any = object.__new__(SerialTransfer)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        SerialTransfer.__init__(link, "/dev/null", restrict_ports=False)
    crc = CRC()

    def framed(data: bytes) -> bytes:
        safe = bytes(b if b != 0x7E else 0x7F for b in data)  # no byte to stuff, which spares it work
        return bytes([0x7E, 0, 0xFF, len(safe)]) + safe + bytes([crc.calculate(list(safe)), 0x81])

    stream = b"".join(framed(data) for data in payloads(size, count))

    def decode() -> int:
        link.connection = Line(stream)
        found = 0
        while link.connection.in_waiting:
            found += bool(link.available())
        return found

    return decode


def pyubx2(size: int, count: int) -> Decode:
    """pyubx2's reader with its checksum, on messages of that payload."""
    from pyubx2 import UBXReader
    from pyubx2.ubxhelpers import calc_checksum

    def framed(data: bytes) -> bytes:
        body = b"\x04\x02" + len(data).to_bytes(2, "little") + bytes(0x20 + b % 64 for b in data)
        checksum: bytes = calc_checksum(body)
        return b"\xb5\x62" + body + checksum

    stream = b"".join(framed(data) for data in payloads(size, count))
    return lambda: sum(1 for _ in _ubx(UBXReader(io.BytesIO(stream), protfilter=2)))


def _ubx(reader: Any) -> Iterator[Any]:
    for _raw, parsed in reader:
        yield parsed


PEERS = (
    Peer("framelink", ours),
    Peer("framelink, with a loop and all attributes read", ours_read),
    Peer("framelink, pure Python", partial(ours, language="Python")),
    Peer("framelink, pure Python, loop and attributes", partial(ours_read, language="Python")),
    Peer("framelink's C core, no Python objects", bare_core),
    Peer("prototype: find, slice, crcmod, frame objects", _prototype(_Plain, _modbus)),
    Peer("prototype: find, slice, fastcrc, frame objects", prototype_fastcrc),
    Peer("prototype: find, slice, crcmod, bare tuples", _prototype(lambda a, c, d: (a, c, d), _modbus)),
    Peer("cobs (C), split, crcmod (C)", cobs_crcmod),
    Peer("cobs (C), split, fastcrc (Rust)", cobs_fastcrc),
    Peer("yahdlc (C)", yahdlc),
    Peer("construct, compiled", construct_compiled),
    Peer("construct, interpreted", construct_interpreted, slow=True),
    Peer("state machine, a byte at a time", bytewise_machine, slow=True),
    Peer("pymavlink parse_buffer", pymavlink, slow=True),
    Peer("pymodbus RTU framer", pymodbus, slow=True),
    Peer("pySerialTransfer", py_serial_transfer, slow=True),
    Peer("pyubx2, with checksum", pyubx2, slow=True),
)
