"""The functions of a schema in C: from bytes to structs, and back."""

from __future__ import annotations

from collections.abc import Iterator

from framelink.codegen.c_code import Pack, Unpack, fail_if, order
from framelink.codegen.c_symbols import BitField, Record, Symbols
from framelink.codegen.c_text import function
from framelink.codegen.c_types import bit_type
from framelink.message.fields import Bit

_TRIES = "FL_MUST_CHECK bool"


def functions(symbols: Symbols) -> list[str]:
    """Return all functions, each behind those that it calls."""
    lines: list[str] = []
    for bits in symbols.bit_fields.values():
        lines += [*_bits_get(bits), *_bits_put(bits)]
    for record in symbols.structs.values():
        lines += _flat(symbols, record) if record.is_flat else _varying(symbols, record)
    for record in symbols.all_records[len(symbols.structs) :]:
        lines += [*_unpack(symbols, record), *_pack(symbols, record)]
    return lines


def _head(result: str, name: str, *parameters: str) -> str:
    return f"static inline {result} {name}({', '.join(parameters)})"


def _flat(symbols: Symbols, record: Record) -> list[str]:
    """Return how a struct is read and written that always takes the same bytes."""
    name = record.name
    get = _head("void", f"{name}_get", f"{name} *to", "const uint8_t *at")
    put = _head("void", f"{name}_put", f"const {name} *from", "uint8_t *at")
    return [
        *function(get, Unpack(symbols).flat_body(record)),
        *function(put, Pack(symbols).flat_body(record)),
    ]


def _varying(symbols: Symbols, record: Record) -> list[str]:
    """Return how a struct is read and written whose size depends on its values."""
    name = record.name
    read = _head(_TRIES, f"{name}_read", f"{name} *to", "fl_reader *reader")
    write = _head(_TRIES, f"{name}_write", f"const {name} *from", "fl_writer *writer")
    return [
        *function(read, [*Unpack(symbols).body(record), "return true;"]),
        *function(write, [*Pack(symbols).body(record), "return true;"]),
    ]


def _unpack(symbols: Symbols, record: Record) -> list[str]:
    head = _head(_TRIES, f"{record.name}_unpack", f"{record.name} *to", "const uint8_t *data", "size_t size")
    make = _unpack_flat if record.is_flat else _unpack_varying
    return function(head, make(symbols, record))


def _unpack_flat(symbols: Symbols, record: Record) -> list[str]:
    sign = "!=" if symbols.schema.version is None else "<"
    body = Unpack(symbols).flat_body(record)
    return ["const uint8_t *at = data;", *fail_if(f"size {sign} {record.size}"), *body, "return true;"]


def _unpack_varying(symbols: Symbols, record: Record) -> list[str]:
    lacking = any(one.field.may_lack for one in record.parts)
    return [
        "fl_reader rest = {data, size}, *reader = &rest;",
        *(["memset(to, 0, sizeof *to);"] if lacking else []),
        *Unpack(symbols).body(record),
        f"return {'reader->left == 0' if symbols.schema.version is None else 'true'};",
    ]


def _pack(symbols: Symbols, record: Record) -> list[str]:
    name = record.name
    head = _head(_TRIES, f"{name}_pack", f"const {name} *from", "uint8_t *to", "size_t room", "size_t *size")
    make = _pack_flat if record.is_flat else _pack_varying
    return function(head, make(symbols, record))


def _pack_flat(symbols: Symbols, record: Record) -> list[str]:
    body = Pack(symbols).flat_body(record)
    done = [f"*size = {record.size};", "return true;"]
    return ["uint8_t *at = to;", *fail_if(f"room < {record.size}"), *body, *done]


def _pack_varying(symbols: Symbols, record: Record) -> list[str]:
    return [
        "fl_writer rest = {to, room}, *writer = &rest;",
        *Pack(symbols).body(record),
        "*size = room - writer->left;",
        "return true;",
    ]


def _bits_get(bits: BitField) -> list[str]:
    kind, size = _word(bits)
    load = "bits = *at" if size == 1 else f"bits;\n    fl_copy_{order(bits.part)}(&bits, at, {size})"
    head = _head("void", f"{bits.name}_get", f"{bits.name} *to", "const uint8_t *at")
    return function(head, [f"{kind} {load};", *(_get_bit(bits, *one) for one in _placed(bits))])


def _get_bit(bits: BitField, bit: Bit, shift: int) -> str:
    value = f"bits >> {shift} & {_mask(bits, bit)}" if shift else f"bits & {_mask(bits, bit)}"
    target = f"to->{bits.members[bit.name]}"
    kind = bit_type(bit)
    return f"{target} = ({value}) != 0;" if kind == "bool" else f"{target} = ({kind})({value});"


def _bits_put(bits: BitField) -> list[str]:
    kind, size = _word(bits)
    store = "*at = bits" if size == 1 else f"fl_copy_{order(bits.part)}(at, &bits, {size})"
    head = _head("void", f"{bits.name}_put", f"const {bits.name} *from", "uint8_t *at")
    first, *others = (_put_bit(bits, *one) for one in _placed(bits))
    more = [f"bits = ({kind})(bits | {one});" for one in others]
    return function(head, [f"{kind} bits = {first};", *more, f"{store};"])


def _put_bit(bits: BitField, bit: Bit, shift: int) -> str:
    kind, _size = _word(bits)
    value = f"({kind})(from->{bits.members[bit.name]} & {_mask(bits, bit)})"
    return f"({kind})({value} << {shift})" if shift else value


def _placed(bits: BitField) -> Iterator[tuple[Bit, int]]:
    """Yield the bits that have a name, and the place of the lowest one."""
    shift = 0
    for one in bits.part.field.bits:
        if one.name:
            yield one, shift
        shift += one.width


def _mask(bits: BitField, bit: Bit) -> str:
    number, size = (1 << bit.width) - 1, 8 * _word(bits)[1]
    return f"0x{number:X}U" if size <= 16 else f"UINT{size}_C(0x{number:X})"


def _word(bits: BitField) -> tuple[str, int]:
    """Return the type of the whole number, and its bytes."""
    size = bits.part.item.least
    return f"uint{8 * size}_t", size
