"""The checks that a frame may carry: every 16-bit CRC that crcmod names, sums, XOR, or none."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import crcmod.predefined

from framelink.errors import FormatError

ByteOrder = Literal["little", "big"]

CRC16_NAMES = (
    "modbus",
    "crc-16",
    "crc-16-buypass",
    "crc-16-dds-110",
    "crc-16-dect",
    "crc-16-dnp",
    "crc-16-en-13757",
    "crc-16-genibus",
    "crc-16-maxim",
    "crc-16-mcrf4xx",
    "crc-16-riello",
    "crc-16-t10-dif",
    "crc-16-teledisk",
    "crc-16-usb",
    "crc-aug-ccitt",
    "crc-ccitt-false",
    "kermit",
    "x-25",
    "xmodem",
)
"""crcmod's names of 16-bit CRCs; a test holds the list to crcmod."""


@dataclass(frozen=True)
class Check:
    """How one kind of check is computed.

    Attributes:
        name: Its name in a frame format.
        size: Bytes on the wire: 0, 1 or 2.
        compute: Covered bytes → check value.
    """

    name: str
    size: int
    compute: Callable[[bytes], int]

    def remainder(self, order: ByteOrder) -> tuple[Callable[[bytes], int], int]:
        """Return a function of (covered bytes + check bytes) and the value that it has when the check holds.

        A CRC sent in its natural byte order leaves a constant remainder when it runs over its own check
        bytes, which saves the receiver from cutting the frame apart.  The others compare.
        """
        size, compute = self.size, self.compute
        if size == 0:
            return (lambda _span: 0), 0
        samples = {
            compute(body + compute(body).to_bytes(size, order)) for body in (b"", b"\x01", b"55AA\x80")
        }
        if size == 2 and self.name in CRC16_NAMES and len(samples) == 1:
            return compute, samples.pop()
        return (lambda span: compute(span[:-size]) ^ int.from_bytes(span[-size:], order)), 0


def _sum8(data: bytes) -> int:
    return sum(data) & 0xFF


def _sum16(data: bytes) -> int:
    return sum(data) & 0xFFFF


def _xor8(data: bytes) -> int:
    return functools.reduce(operator.xor, data, 0)


def _none(_data: bytes) -> int:
    return 0


_PLAIN_CHECKS = {
    "sum8": Check("sum8", 1, _sum8),
    "sum16": Check("sum16", 2, _sum16),
    "xor8": Check("xor8", 1, _xor8),
    "none": Check("none", 0, _none),
}

CHECK_NAMES = (*CRC16_NAMES, *_PLAIN_CHECKS)
"""Every name that `check_named` knows."""


@functools.cache
def check_named(name: str) -> Check:
    """Return the check of that name.

    Raises:
        FormatError: No check has that name.
    """
    if name in _PLAIN_CHECKS:
        return _PLAIN_CHECKS[name]
    if name not in CRC16_NAMES:
        raise FormatError(f"check {name!r} is unknown; one of: {', '.join(CHECK_NAMES)}")
    return Check(name, 2, crcmod.predefined.mkPredefinedCrcFun(name))
