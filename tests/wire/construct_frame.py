"""The frame described a second time, with construct, from the attributes of a FrameFormat."""

from __future__ import annotations

from typing import Any

import construct as c

from framelink.wire import FrameFormat
from tools.reference import check_bytes


def frame_construct(format: FrameFormat) -> Any:
    """Return a construct that parses and builds {addr, cmd, data}; the check is the reference's."""
    length_kind = {
        (1, "little"): c.Int8ul,
        (1, "big"): c.Int8ub,
        (2, "little"): c.Int16ul,
        (2, "big"): c.Int16ub,
    }[format.length_size, format.length_order]
    counted = format.overhead if format.length_counts == "frame" else 0
    length = c.ExprAdapter(length_kind, lambda n, _: n - counted, lambda n, _: n + counted)
    kinds = {
        "addr": "addr" / c.Int8ub,
        "cmd": "cmd" / c.Int8ub,
        "len": "len" / c.Rebuild(length, c.len_(c.this.data)),
    }
    body = c.Struct(*[kinds[one] for one in format.fields], "data" / c.Bytes(c.this.len))
    given = {"check": format.check, "check_order": format.check_order}
    header = format.header if format.check_covers_header else b""
    return c.Struct(
        c.Const(format.header),
        "body" / c.RawCopy(body),
        c.Checksum(
            c.Bytes(format.checker.size), lambda data: check_bytes(given, header + data), c.this.body.data
        ),
        c.Const(format.tail),
        c.Terminated,
    )
