"""A second implementation of SPEC.md, as literal and as slow as can be, to make vectors with.

It shares nothing with the package: the CRCs are bitwise, and the machine judges all that it holds after
every byte.
"""

from __future__ import annotations

from typing import Any

# Name → polynomial, initial register, reflected, final XOR; from the public catalogue of CRCs.
CRC16 = {
    "modbus": (0x8005, 0xFFFF, True, 0x0000),
    "crc-16": (0x8005, 0x0000, True, 0x0000),
    "crc-16-buypass": (0x8005, 0x0000, False, 0x0000),
    "crc-16-dds-110": (0x8005, 0x800D, False, 0x0000),
    "crc-16-dect": (0x0589, 0x0000, False, 0x0001),
    "crc-16-dnp": (0x3D65, 0x0000, True, 0xFFFF),
    "crc-16-en-13757": (0x3D65, 0x0000, False, 0xFFFF),
    "crc-16-genibus": (0x1021, 0xFFFF, False, 0xFFFF),
    "crc-16-maxim": (0x8005, 0x0000, True, 0xFFFF),
    "crc-16-mcrf4xx": (0x1021, 0xFFFF, True, 0x0000),
    "crc-16-riello": (0x1021, 0xB2AA, True, 0x0000),
    "crc-16-t10-dif": (0x8BB7, 0x0000, False, 0x0000),
    "crc-16-teledisk": (0xA097, 0x0000, False, 0x0000),
    "crc-16-usb": (0x8005, 0xFFFF, True, 0xFFFF),
    "crc-aug-ccitt": (0x1021, 0x1D0F, False, 0x0000),
    "crc-ccitt-false": (0x1021, 0xFFFF, False, 0x0000),
    "kermit": (0x1021, 0x0000, True, 0x0000),
    "x-25": (0x1021, 0xFFFF, True, 0xFFFF),
    "xmodem": (0x1021, 0x0000, False, 0x0000),
}
PLAIN = {"sum8": 1, "sum16": 2, "xor8": 1, "none": 0}
"""Name → size of the checks that are no CRC."""

DEFAULTS: dict[str, Any] = {
    "header": "55AA",
    "tail": "0D0A",
    "fields": ["addr", "cmd", "len"],
    "length_size": 1,
    "length_order": "little",
    "length_counts": "data",
    "max_data": None,
    "check": "modbus",
    "check_order": "little",
    "check_covers_header": False,
    "legal_lengths": {},
}
LETTERS = {"header": "H", "addr": "A", "cmd": "C", "len": "L", "data": "D", "check": "K", "tail": "T"}
REASONS = ("noise", "length", "tail", "check", "timeout")


def reversed_bits(value: int, width: int) -> int:
    """Return the value with its bits in the opposite order."""
    return int(f"{value:0{width}b}"[::-1], 2)


def crc16(name: str, data: bytes) -> int:
    """Return a CRC of the data, bit by bit."""
    poly, register, reflected, xor_out = CRC16[name]
    for byte in data:
        register ^= (reversed_bits(byte, 8) if reflected else byte) << 8
        for _ in range(8):
            register = (register << 1 ^ poly if register & 0x8000 else register << 1) & 0xFFFF
    return (reversed_bits(register, 16) if reflected else register) ^ xor_out


def check_size(name: str) -> int:
    """Return the bytes of a check."""
    return PLAIN.get(name, 2)


def check_bytes(format: dict[str, Any], covered: bytes) -> bytes:
    """Return the check over the covered bytes as it stands on the wire."""
    name = format["check"]
    if name in CRC16:
        value = crc16(name, covered)
    else:
        value = {"sum8": sum(covered) & 0xFF, "sum16": sum(covered) & 0xFFFF, "none": 0, "xor8": 0}[name]
        if name == "xor8":
            for byte in covered:
                value ^= byte
    return value.to_bytes(check_size(name), format["check_order"])


def build(given: dict[str, Any], addr: int, cmd: int, data: bytes) -> bytes:
    """Return a frame's bytes."""
    format = DEFAULTS | given
    header, tail = bytes.fromhex(format["header"]), bytes.fromhex(format["tail"])
    size = len(data)
    if format["length_counts"] == "frame":
        size += overhead(format)
    values: dict[str, bytes] = {
        "addr": bytes([addr]),
        "cmd": bytes([cmd]),
        "len": size.to_bytes(format["length_size"], format["length_order"]),
    }
    body = b"".join(values[one] for one in format["fields"]) + data
    covered = header + body if format["check_covers_header"] else body
    return header + body + check_bytes(format, covered) + tail


def overhead(format: dict[str, Any]) -> int:
    """Return the bytes of a frame that are not data."""
    sizes = {"addr": 1, "cmd": 1, "len": format["length_size"]}
    marks = len(bytes.fromhex(format["header"])) + len(bytes.fromhex(format["tail"]))
    fields: int = sum(sizes[one] for one in format["fields"])
    return marks + fields + check_size(format["check"])


class Machine:
    """The receive state machine, a byte at a time."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.format = DEFAULTS | given
        self.header = bytes.fromhex(self.format["header"])
        self.tail = bytes.fromhex(self.format["tail"])
        self.held = b""
        self.received = 0
        self.delivered = 0
        self.noise = dict.fromkeys(REASONS, 0)
        self.frames: list[dict[str, Any]] = []

    def push(self, byte: int) -> None:
        """Take a byte."""
        self.received += 1
        self.held += bytes([byte])
        self.settle()

    def flush(self) -> None:
        """Take silence."""
        while self.held:
            self.noise["timeout"] += 1
            self.held = self.held[1:]
            self.settle()

    def settle(self) -> None:
        """Judge what is held until it is empty or still possible."""
        while self.held:
            verdict = self.judge()
            if verdict == "possible":
                return
            if verdict == "frame":
                self.deliver()
            else:
                self.noise[verdict] += 1
                self.held = self.held[1:]

    def places(self) -> list[tuple[str, int]]:
        """Return the places of the candidate's frame with their sizes, up to what is known."""
        sizes = {"addr": 1, "cmd": 1, "len": self.format["length_size"]}
        head = [("header", len(self.header)), *((one, sizes[one]) for one in self.format["fields"])]
        if len(self.held) < sum(size for _name, size in head):
            return head
        rest = [
            ("data", self.data_size()),
            ("check", check_size(self.format["check"])),
            ("tail", len(self.tail)),
        ]
        return head + rest

    def slices(self) -> dict[str, tuple[int, int]]:
        """Return where each place begins and ends."""
        found, at = {}, 0
        for name, size in self.places():
            found[name] = (at, at + size)
            at += size
        return found

    def field(self, name: str) -> int:
        """Return a field's number, 0 if the format has none."""
        if name not in self.format["fields"]:
            return 0
        begin = len(self.header)
        for one in self.format["fields"]:
            size = self.format["length_size"] if one == "len" else 1
            if one == name:
                return int.from_bytes(self.held[begin : begin + size], self.format["length_order"])
            begin += size
        raise AssertionError(name)

    def data_size(self) -> int:
        """Return the data bytes that the len field announces."""
        counts_all = self.format["length_counts"] == "frame"
        return self.field("len") - (overhead(self.format) if counts_all else 0)

    def legal(self) -> bool:
        """Tell whether the announced length is allowed."""
        size, largest = self.data_size(), self.format["max_data"]
        lengths = self.format["legal_lengths"].get(f"0x{self.field('cmd'):02X}")
        return size >= 0 and (largest is None or size <= largest) and (lengths is None or size in lengths)

    def judge(self) -> str:
        """Return what the candidate is: possible, a frame, or the reason to reject it."""
        held = self.held
        if held[: len(self.header)] != self.header[: len(held)]:
            return "noise"
        at = self.slices()
        if "tail" not in at:
            return "possible"
        if not self.legal():
            return "length"
        begin, end = at["tail"]
        if held[begin:end] != self.tail[: max(len(held) - begin, 0)]:
            return "tail"
        if len(held) < end:
            return "possible"
        covered = held[0 if self.format["check_covers_header"] else len(self.header) : at["check"][0]]
        check = held[slice(*at["check"])]
        return "frame" if check == check_bytes(self.format, covered) else "check"

    def deliver(self) -> None:
        """Take the frame out of what is held."""
        at = self.slices()
        end = at["tail"][1]
        self.frames.append(
            {
                "offset": self.received - len(self.held),
                "addr": self.field("addr"),
                "cmd": self.field("cmd"),
                "data": self.held[slice(*at["data"])].hex(),
            }
        )
        self.delivered += end
        self.held = self.held[end:]

    def state(self) -> str:
        """Return the letter of the place that the next byte belongs to."""
        for name, (begin, end) in self.slices().items():
            if begin <= len(self.held) < end:
                return LETTERS[name]
        raise AssertionError("a whole frame is never held")

    def account(self) -> list[int]:
        """Return delivered, noise by reason, and frames."""
        return [self.delivered, *self.noise.values(), len(self.frames)]

    def ledger(self) -> dict[str, Any]:
        """Return the account."""
        return {
            "received": self.received,
            "delivered": self.delivered,
            "noise": dict(self.noise),
            "pending": len(self.held),
            "frames": len(self.frames),
        }
