"""Frame → bytes."""

from __future__ import annotations

from framelink.errors import FormatError
from framelink.wire.engine import native
from framelink.wire.format import DEFAULT_FORMAT, FrameFormat
from framelink.wire.frame import Frame


def encode(frame: Frame, format: FrameFormat = DEFAULT_FORMAT) -> bytes:
    """Return the frame's bytes on the wire.

    Args:
        frame: What to send.
        format: The device's variant of the frame.

    Raises:
        FormatError: The format cannot carry this frame: data too long or of an illegal length for the
            command, or an address or command where the format has no such field.
    """
    addr, cmd, data = frame
    size = len(data)
    if size > format.largest_data or format.legal_lengths or len(format.fields) != 3:
        _require_carries(frame, format)
    framed = format.write_head(addr, cmd, size + format.length_bias) + data
    checker = format.checker
    check = checker.compute(framed[format.covered_from :])
    return framed + check.to_bytes(checker.size, format.check_order) + format.tail


def _require_carries(frame: Frame, format: FrameFormat) -> None:
    if len(frame.data) > format.largest_data:
        raise FormatError(f"data may have at most {format.largest_data} bytes, not {len(frame.data)}")
    if not format.allows(frame.cmd, len(frame.data)):
        legal = ", ".join(map(str, sorted(format.legal_lengths[frame.cmd])))
        raise FormatError(
            f"command 0x{frame.cmd:02X} takes {legal or 'no'} data bytes, not {len(frame.data)}"
        )
    for name, value in (("addr", frame.addr), ("cmd", frame.cmd)):
        if value and name not in format.fields:
            raise FormatError(f"this frame format has no {name} field, so {name} must be 0, not {value}")


python_encode = encode
"""The encode above, whichever is in use; it also does what the extension leaves to it."""

if native is not None:
    encode = native.encode
