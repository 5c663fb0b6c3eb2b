"""C that reads and writes structs and payloads: one check for each run of bytes that is always there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from framelink.codegen.c_symbols import Member, Record, Symbols
from framelink.codegen.c_text import INDENT, folded
from framelink.message.parts import PREFIXES, Part

_NUMBER = "number"  # of several bytes
_OWN = "own"  # a struct or a bit field
_LOADS = {
    "u8": "{target} = at[{at}];",
    "parameter": "{target} = at[{at}];",
    "i8": "{target} = (int8_t)at[{at}];",
    "bool": "{target} = at[{at}] != 0;",
    "f64": "fl_get_f64_{order}(&{target}, {address});",
    "bytes": "memcpy({target}, {address}, {size});",
    "string": "fl_get_text({target}, {address}, {size});",
    _OWN: "{type}_get(&{target}, {address});",
    _NUMBER: "fl_copy_{order}(&{target}, {address}, {size});",
}
_STORES = {
    "u8": "at[{at}] = {target};",
    "parameter": "at[{at}] = {target};",
    "i8": "at[{at}] = (uint8_t){target};",
    "bool": "at[{at}] = {target} ? 1 : 0;",
    "f64": "fl_put_f64_{order}({address}, {target});",
    "bytes": "memcpy({address}, {target}, {size});",
    "string": "fl_put_text({address}, {target}, {size});",
    _OWN: "{type}_put(&{target}, {address});",
    _NUMBER: "fl_copy_{order}({address}, &{target}, {size});",
}


class Direction(ABC):
    """Makes the body of one function; the two directions differ in their statements.

    Fields that always take the same bytes are gathered: the bytes of their run are checked at once.

    Args:
        symbols: The names of everything.
    """

    struct: str
    """The parameter that is the struct."""
    cursor: str
    """The parameter that knows how many bytes are left."""
    advance: str
    """The function that checks a run, and moves behind it."""
    place: str
    """The type of a place in the bytes, for the variable `at`."""
    moves: Mapping[str, str]
    """Type → the statement for one value of it; see `_move`."""
    verb: str
    """What is done with a struct whose size depends on its values."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self._lines: list[str] = []
        self._declared = [False]  # whether there is an `at`, for each block that we are in
        self._run: list[str] = []
        self._run_size = 0

    def flat_body(self, record: Record) -> list[str]:
        """Return the statements for a struct of one size, whose bytes are at `at`."""
        self._add_fields(record)
        return self._run

    def body(self, record: Record) -> list[str]:
        """Return the statements for a struct whose size depends on its values."""
        self._add_fields(record)
        self._flush()
        return self._lines

    @abstractmethod
    def _perhaps(self, own: Member, later: Sequence[str]) -> list[str]:
        """Return what stands before a field that may be lacking, and the others behind it."""

    @abstractmethod
    def _add_several(self, part: Part, target: str, own: Member) -> None:
        """Add as many values as a number says, or as there are."""

    @abstractmethod
    def _add_view(self, part: Part, target: str) -> None:
        """Add bytes or text of any size."""

    def _add_fields(self, record: Record) -> None:
        for position, part in enumerate(record.parts):
            own = record.members[part.field.name]
            if part.field.may_lack:
                self._flush()
                later = [record.members[one.field.name].has for one in record.parts[position + 1 :]]
                self._add(*self._perhaps(own, later))
            self._add_field(part, f"{self.struct}->{own.value}", own)

    def _add_field(self, part: Part, target: str, own: Member) -> None:
        if isinstance(part.field.count, str):
            self._add_several(part, target, own)
        elif isinstance(part.field.count, int):
            self._add_array(part, target, part.field.count)
        else:
            self._add_one(part, target)

    def _add_array(self, part: Part, target: str, count: int) -> None:
        head = f"for (size_t n = 0; n < {count}; n++)"
        if part.step:
            with self._block(head):
                self._add_one(part.item, f"{target}[n]")
        else:
            each = "n" if part.item.least == 1 else f"{part.item.least} * n"
            at = f"{self._run_size} + {each}" if self._run_size else each
            self._gather(part.least, head, INDENT + self._move(part.item, f"{target}[n]", at))

    def _add_one(self, part: Part, target: str) -> None:
        """Add one value."""
        if part.step == 0:
            self._gather(part.least, self._move(part, target, str(self._run_size)))
        elif part.members:
            self._fail_if(f"!{self._type_of(part)}_{self.verb}(&{target}, {self.cursor})")
        else:
            self._add_view(part, target)

    def _move(self, part: Part, target: str, at: str) -> str:
        """Return the statement for one value of one size, whose bytes are at that offset from `at`."""
        is_own = bool(part.members or part.field.bits)
        kind = part.field.type if part.field.type in self.moves else _NUMBER
        return self.moves[_OWN if is_own else kind].format(
            target=target,
            at=at,
            address=address(at),
            size=part.least,
            order=order(part),
            type=self._type_of(part) if is_own else "",
        )

    def _type_of(self, part: Part) -> str:
        symbols = self.symbols
        return symbols.structs[part.field.type].name if part.members else symbols.bit_field(part).name

    @property
    def _place(self) -> str:
        """Where the next value of the run stands."""
        return address(str(self._run_size))

    def _gather(self, size: int, *statements: str) -> None:
        """Add statements for so many bytes to the run."""
        self._run += statements
        self._run_size += size

    def _flush(self) -> None:
        """End the run: check that its bytes are there, then do what has been gathered."""
        run, size = self._run, self._run_size
        self._run, self._run_size = [], 0
        if run:
            declare = "" if any(self._declared) else self.place
            self._declared[-1] |= bool(declare)
            self._add(f"{declare}at = {self.advance}({self.cursor}, {size});", *fail_if("at == NULL"), *run)

    @contextmanager
    def _block(self, head: str) -> Iterator[None]:
        """Add a block around what the `with` adds."""
        self._flush()
        self._add(f"{head} {{")
        self._declared.append(False)
        yield
        self._flush()
        self._declared.pop()
        self._add("}")

    def _fail_if(self, problem: str) -> None:
        """Add that the function fails if something is so."""
        self._flush()
        self._add(*fail_if(problem))

    def _add(self, *lines: str) -> None:
        """Add lines."""
        self._lines += [INDENT * (len(self._declared) - 1) + one for one in lines]


class Unpack(Direction):
    """From bytes to the struct `to`."""

    struct, cursor, advance, verb, place = "to", "reader", "fl_take", "read", "const uint8_t *"
    moves = _LOADS

    def _perhaps(self, own: Member, later: Sequence[str]) -> list[str]:  # noqa: ARG002 - packing needs it
        return ["if (reader->left == 0)", f"{INDENT}return true;", f"to->{own.has} = true;"]

    def _add_several(self, part: Part, target: str, own: Member) -> None:
        count, prefix = f"to->{own.count}", str(part.field.count)
        if prefix in PREFIXES:
            self._gather_count(prefix, part, count)
            self._fail_if(f"{count} > {own.capacity}")
            head = f"for (size_t n = 0; n < {count}; n++)"
        else:
            self._add_behind(f"{count} = 0;")
            head = "for (size_t n = 0; reader->left > 0; n++)"
        with self._block(head):
            if prefix not in PREFIXES:
                self._add(*fail_if(f"n == {own.capacity}"), f"{count}++;")
            self._add_one(part.item, f"{target}[n]")

    def _add_view(self, part: Part, target: str) -> None:
        kind = "text" if part.field.type == "string" else "bytes"
        if isinstance(part.field.size, str):
            self._gather_count(part.field.size, part, f"{target}.size")
        else:
            self._add_behind(f"{target}.size = reader->left;")
        self._fail_if(f"!fl_take_{kind}(reader, &{target})")

    def _add_behind(self, statement: str) -> None:
        """Add a statement behind the run."""
        self._flush()
        self._add(statement)

    def _gather_count(self, prefix: str, part: Part, target: str) -> None:
        self._gather(PREFIXES[prefix], f"{target} = fl_count_{_kind_of(prefix, part)}({self._place});")


class Pack(Direction):
    """From the struct `from` to bytes."""

    struct, cursor, advance, verb, place = "from", "writer", "fl_claim", "write", "uint8_t *"
    moves = _STORES

    def _perhaps(self, own: Member, later: Sequence[str]) -> list[str]:
        nothing_else = " && ".join(f"!from->{one}" for one in later) or "true"
        return [
            f"if (!from->{own.has}) {{",
            f"{INDENT}*size = room - writer->left;",
            f"{INDENT}return {nothing_else};",
            "}",
        ]

    def _add_several(self, part: Part, target: str, own: Member) -> None:
        count, prefix = f"from->{own.count}", str(part.field.count)
        if prefix in PREFIXES:
            self._gather_count(prefix, part, count)
        self._fail_if(f"{count} > {own.capacity}")
        with self._block(f"for (size_t n = 0; n < {count}; n++)"):
            self._add_one(part.item, f"{target}[n]")

    def _add_view(self, part: Part, target: str) -> None:
        if isinstance(part.field.size, str):
            self._gather_count(part.field.size, part, f"{target}.size")
        self._fail_if(f"!fl_write(writer, {target}.data, {target}.size)")

    def _gather_count(self, prefix: str, part: Part, target: str) -> None:
        put = f"!fl_put_count_{_kind_of(prefix, part)}({self._place}, {target})"
        self._gather(PREFIXES[prefix], *fail_if(put))


def fail_if(problem: str) -> list[str]:
    """Return the lines by which a function fails."""
    return [*folded(f"if ({problem})", "&&"), f"{INDENT}return false;"]


def address(at: str) -> str:
    """Return the address of an offset from `at`."""
    return "at" if at == "0" else f"at + {at}"


def order(part: Part) -> str:
    """Return the byte order as functions have it in their names."""
    return {"little": "le", "big": "be"}[part.order]


def _kind_of(prefix: str, part: Part) -> str:
    return prefix if PREFIXES[prefix] == 1 else f"{prefix}_{order(part)}"
