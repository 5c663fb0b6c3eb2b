"""FrameFormat: which bytes stand where in one device's frames."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from struct import Struct
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast, get_args

from framelink.errors import FormatError
from framelink.wire.check import ByteOrder, Check, check_named

Field = Literal["addr", "cmd", "len"]
Counts = Literal["data", "frame"]
Buffer: TypeAlias = bytes | bytearray

MAX_HEADER = 4  # bytes; no known device has a longer start mark, and a search for one is cheap
MAX_TAIL = 4


@dataclass(frozen=True)
class FrameFormat:
    """A variant of the frame.  The default is `55 AA | addr | cmd | len | data | CRC-16/MODBUS | 0D 0A`.

    Attributes:
        header: 1 to 4 bytes that begin every frame.
        tail: 0 to 4 bytes that end every frame.
        fields: The fields between header and data, in the order of the wire; `addr` or `cmd` may be absent.
        length_size: Bytes of the len field, 1 or 2.
        length_order: Byte order of a len of 2 bytes.
        length_counts: What len counts: the `data` alone or the whole `frame`.
        max_data: Largest legal number of data bytes; None means all that len can express.
        check: Name of the check, see `framelink.wire.CHECK_NAMES`.
        check_order: Byte order of a check of 2 bytes.
        check_covers_header: Whether the check covers the header too.
        legal_lengths: Command → the numbers of data bytes it may carry; commands not named may carry any.

    Raises:
        FormatError: An attribute has a value that is not allowed; the message says what is.
    """

    header: bytes = b"\x55\xaa"
    tail: bytes = b"\r\n"
    fields: tuple[Field, ...] = ("addr", "cmd", "len")
    length_size: int = 1
    length_order: ByteOrder = "little"
    length_counts: Counts = "data"
    max_data: int | None = None
    check: str = "modbus"
    check_order: ByteOrder = "little"
    check_covers_header: bool = False
    legal_lengths: Mapping[int, Collection[int]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _require(
            type(self.header) is bytes and 1 <= len(self.header) <= MAX_HEADER,
            f"header must be 1 to {MAX_HEADER} bytes, not {self.header!r}",
        )
        _require(
            type(self.tail) is bytes and len(self.tail) <= MAX_TAIL,
            f"tail must be 0 to {MAX_TAIL} bytes, not {self.tail!r}",
        )
        self._require_fields()
        _require(
            type(self.length_size) is int and self.length_size in (1, 2),
            f"length_size must be 1 or 2, not {self.length_size!r}",
        )
        _require_one_of("length_order", self.length_order, get_args(ByteOrder))
        _require_one_of("length_counts", self.length_counts, get_args(Counts))
        _require_one_of("check_order", self.check_order, get_args(ByteOrder))
        _require(type(self.check) is str, f"check must be a name, not {self.check!r}")
        check_named(self.check)
        _require(
            type(self.check_covers_header) is bool,
            f"check_covers_header must be true or false, not {self.check_covers_header!r}",
        )
        self._require_largest()
        self._require_legal_lengths()

    def _require_fields(self) -> None:
        fields: Any = self.fields
        _require(
            isinstance(fields, (tuple, list))
            and all(type(one) is str and one in get_args(Field) for one in fields)
            and len(set(fields)) == len(fields)
            and "len" in fields,
            f"fields must be len and, at will, addr and cmd, each once, in wire order, not {fields!r}",
        )
        object.__setattr__(self, "fields", tuple(fields))

    def _require_largest(self) -> None:
        expressible = self._expressible
        _require(
            self.max_data is None or (type(self.max_data) is int and 0 <= self.max_data <= expressible),
            f"max_data must be 0 to {expressible} with this len field, not {self.max_data!r}",
        )

    def _require_legal_lengths(self) -> None:
        given: Any = self.legal_lengths
        largest = self.largest_data
        _require(isinstance(given, Mapping), f"legal_lengths must map commands to lengths, not be {given!r}")
        for command, lengths in given.items():
            _require(
                type(command) is int and 0 <= command <= 0xFF,
                f"legal_lengths: command must be 0 to 255, not {command!r}",
            )
            _require(
                isinstance(lengths, Collection)
                and all(type(n) is int and 0 <= n <= largest for n in lengths),
                f"legal_lengths: lengths of command 0x{command:02X} must be 0 to {largest}, not {lengths!r}",
            )
        _require("cmd" in self.fields or not given, "legal_lengths needs a cmd field")
        frozen = MappingProxyType({command: frozenset(lengths) for command, lengths in given.items()})
        object.__setattr__(self, "legal_lengths", frozen)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by the arguments: a read-only mapping can do neither."""
        values = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return _restored, (values | {"legal_lengths": dict(self.legal_lengths)},)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> FrameFormat:
        """Make a format from what a TOML file holds: the attributes by name, bytes as hex text.

        Raises:
            FormatError: A key is unknown or a value is not allowed.
        """
        names = [one.name for one in dataclasses.fields(cls)]
        values = dict(mapping)
        for key in values:
            _require_one_of("key", key, names)
        for key in ("header", "tail"):
            if key in values:
                values[key] = _bytes_from_hex(key, values[key])
        if "fields" in values:
            _require(isinstance(values["fields"], list), "fields must be a list of names")
            values["fields"] = tuple(values["fields"])
        if "legal_lengths" in values:
            values["legal_lengths"] = _lengths_from_table(values["legal_lengths"])
        return cls(**values)

    @cached_property
    def checker(self) -> Check:
        """The check of this format."""
        return check_named(self.check)

    @cached_property
    def head_size(self) -> int:
        """Bytes before the data: header, addr, cmd, len."""
        return len(self.header) + len(self.fields) - 1 + self.length_size

    @cached_property
    def trailer_size(self) -> int:
        """Bytes after the data: check and tail."""
        return self.checker.size + len(self.tail)

    @cached_property
    def overhead(self) -> int:
        """Bytes of a frame that are not data."""
        return self.head_size + self.trailer_size

    @cached_property
    def _expressible(self) -> int:
        """The largest number of data bytes that the len field can express."""
        return (1 << 8 * self.length_size) - 1 - self.length_bias

    @cached_property
    def largest_data(self) -> int:
        """The largest legal number of data bytes."""
        return self._expressible if self.max_data is None else self.max_data

    @cached_property
    def longest_frame(self) -> int:
        """Bytes of the longest legal frame."""
        return self.overhead + self.largest_data

    @cached_property
    def length_bias(self) -> int:
        """What to add to a number of data bytes to get the value of the len field."""
        return self.overhead if self.length_counts == "frame" else 0

    @cached_property
    def covered_from(self) -> int:
        """Offset of the first byte that the check covers."""
        return 0 if self.check_covers_header else len(self.header)

    @cached_property
    def read_head(self) -> Callable[[Buffer, int], tuple[int, int, int]]:
        """A function of (buffer, offset of a header) that returns addr, cmd and what len says."""
        unpack: Callable[[Buffer, int], tuple[int, ...]] = self._fields_struct("x").unpack_from
        places = [self.fields.index(one) if one in self.fields else None for one in get_args(Field)]

        def read(buffer: Buffer, offset: int) -> tuple[int, int, int]:
            values = unpack(buffer, offset)
            addr, cmd, length = (0 if place is None else values[place] for place in places)
            return addr, cmd, length

        return read if places != [0, 1, 2] else cast("Callable[[Buffer, int], tuple[int, int, int]]", unpack)

    @cached_property
    def write_head(self) -> Callable[[int, int, int], bytes]:
        """A function of (addr, cmd, number that len carries) that returns the bytes before the data."""
        pack, header = self._fields_struct("s").pack, self.header
        pick = [get_args(Field).index(one) for one in self.fields]
        if pick == [0, 1, 2]:
            return functools.partial(pack, header)
        return lambda *values: pack(header, *[values[place] for place in pick])

    def _fields_struct(self, header_code: str) -> Struct:
        length_code = "H" if self.length_size == 2 else "B"
        order = "<" if self.length_order == "little" else ">"
        codes = "".join(length_code if one == "len" else "B" for one in self.fields)
        return Struct(f"{order}{len(self.header)}{header_code}{codes}")

    @cached_property
    def is_choosy(self) -> bool:
        """Whether there are lengths that the len field can express and `allows` refuses."""
        return bool(
            self.length_bias or self.legal_lengths or self.largest_data < (1 << 8 * self.length_size) - 1
        )

    def allows(self, cmd: int, size: int) -> bool:
        """Tell whether a frame with that command may carry that many data bytes."""
        legal = self.legal_lengths.get(cmd)
        return 0 <= size <= self.largest_data and (legal is None or size in legal)


def _restored(values: dict[str, Any]) -> FrameFormat:
    return FrameFormat(**values)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise FormatError(message)


def _require_one_of(name: str, value: object, allowed: Collection[str]) -> None:
    _require(
        type(value) is str and value in allowed, f"{name} must be one of {', '.join(allowed)}, not {value!r}"
    )


def _bytes_from_hex(key: str, text: object) -> bytes:
    try:
        return bytes.fromhex(text)  # type: ignore[arg-type]  # a non-string is the error we report
    except (TypeError, ValueError):
        raise FormatError(f'{key} must be hex text such as "55 AA", not {text!r}') from None


def _lengths_from_table(table: object) -> dict[int, list[int]]:
    """Turn TOML's {"0x10" = [3]} (its keys are text) into {0x10: [3]}."""
    _require(isinstance(table, Mapping), "legal_lengths must be a table of command = [lengths]")
    lengths: dict[int, list[int]] = {}
    for key, value in table.items():  # type: ignore[attr-defined]  # required above
        try:
            command = int(key, 0)
        except ValueError:
            raise FormatError(f'legal_lengths: {key!r} is no command; write it as "0x10" or "16"') from None
        _require(isinstance(value, list), f"legal_lengths: {key} must be a list of lengths, not {value!r}")
        lengths[command] = value
    return lengths


DEFAULT_FORMAT = FrameFormat()
"""`55 AA | addr | cmd | len | data | CRC-16/MODBUS | 0D 0A`."""
