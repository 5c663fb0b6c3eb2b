"""The receive state machine in Python, for every frame format.

The machine is byte-level in meaning and block-level in speed.  Its whole state is the bytes of the one
candidate that is still possible: which place of a frame the next byte belongs to follows from how many there
are.  So a frame that lies whole in the buffer costs a few C-level operations, and bytes that cannot decide
anything yet are only appended.  SPEC.md states the rules.
"""

from __future__ import annotations

from framelink.wire.format import DEFAULT_FORMAT, FrameFormat
from framelink.wire.frame import Frame, make_frame
from framelink.wire.ledger import REASONS, Reason
from framelink.wire.state import places


class PythonEngine:
    """What finds the frames for a Receiver.

    Args:
        format: The device's variant of the frame.
        locate: Keep the offsets of the frames that the last call returned, see `offsets`.
    """

    def __init__(self, format: FrameFormat = DEFAULT_FORMAT, *, locate: bool = False) -> None:
        self._format = format
        self._locate = locate
        self._offsets: list[int] = []
        self._pending = bytearray()
        self._need = 1  # bytes of the candidate at which the next decision can fall
        self._received = 0
        self._delivered = 0
        self._frames = 0
        self._noise: dict[Reason, int] = dict.fromkeys(REASONS, 0)
        self._layout = (
            format.header,
            format.tail,
            len(format.tail),
            format.head_size,
            format.trailer_size,
            format.covered_from,
            format.overhead - format.length_bias,
        )
        self._judges = (
            format.read_head,
            *format.checker.remainder(format.check_order),
            format.is_choosy,
            format.allows,
            format.length_bias,
        )

    @property
    def format(self) -> FrameFormat:
        """The variant of the frame."""
        return self._format

    @property
    def pending(self) -> int:
        """Bytes of the candidate that is still possible; less than one longest frame."""
        return len(self._pending)

    @property
    def offsets(self) -> list[int]:
        """For each frame of the last call, its header's offset in all that was fed; needs `locate`."""
        return self._offsets

    @property
    def _place(self) -> str:
        """The value of the state."""
        before = len(self._pending)
        for state, size in places(self._format, self._pending_data_size()):
            if before < size:
                return state.value
            before -= size
        raise AssertionError("a whole frame is never pending")

    @property
    def _counts(self) -> tuple[int, ...]:
        """Bytes received and delivered, frames, and noise by reason."""
        return self._received, self._delivered, self._frames, *self._noise.values()

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[Frame]:
        """Take the next bytes of the stream, in any split, and return the frames that they complete.

        Never raises on what the bytes are.
        """
        if type(chunk) is not bytes:
            chunk = bytes(memoryview(chunk))
        self._received += len(chunk)
        pending = self._pending
        if not pending:
            return self._scan(chunk)
        pending += chunk
        if len(pending) < self._need:
            self._offsets = []
            return []
        return self._scan(bytes(pending))

    def flush(self) -> list[Frame]:
        """Tell that the line is silent: give the pending candidate up and rescan its bytes.

        Afterwards nothing is pending, since what lies behind the candidate was waiting just as long.

        Returns:
            The frames that lay inside the candidate.
        """
        frames = self._scan(bytes(self._pending), silent=True)
        while self._pending:  # less than a header, and what may be the beginning of another inside it
            self._noise["timeout"] += 1
            self._keep(bytes(self._pending[1:]))
        return frames

    def _scan(self, buffer: bytes, *, silent: bool = False) -> list[Frame]:
        """Take all that can be decided out of the buffer, which is the end of the stream; keep the rest.

        On a silent line nothing more will come, so a candidate that is incomplete is decided as well.
        """
        header, tail, tail_size, head_size, trailer_size, covered_from, frame_base = self._layout
        read_head, check_of, check_holds, choosy, allows, length_bias = self._judges
        find, limit, noise = buffer.find, len(buffer), self._noise
        base, last_start = self._received - limit, limit - head_size
        frames: list[Frame] = []
        offsets: list[int] | None = [] if self._locate else None
        position = delivered = 0

        while (start := find(header, position)) >= 0:
            if start != position:
                noise["noise"] += start - position
                position = start
            reason: Reason | None = None  # the candidate is possible
            if start <= last_start:
                addr, cmd, length = read_head(buffer, start)
                end = start + frame_base + length
                tail_start = end - tail_size
                if choosy and not allows(cmd, length - length_bias):
                    reason = "length"
                elif end > limit:
                    reason = None if tail.startswith(buffer[tail_start:limit]) else "tail"
                elif buffer[tail_start:end] != tail:
                    reason = "tail"
                elif check_of(buffer[start + covered_from : tail_start]) != check_holds:
                    reason = "check"
                else:
                    frames.append(make_frame((addr, cmd, buffer[start + head_size : end - trailer_size])))
                    if offsets is not None:
                        offsets.append(base + start)
                    delivered += end - start
                    position = end
                    continue
            if reason is None and not silent:
                break
            noise[reason or "timeout"] += 1  # the candidate's first byte; the search goes on at its second
            position = start + 1

        self._delivered += delivered
        self._frames += len(frames)
        self._offsets = offsets or []
        self._keep(buffer[position:])
        return frames

    def _keep(self, rest: bytes) -> None:
        """Make the candidate at the end of the buffer, if there is one, the pending one."""
        if not rest:  # the usual end of a read
            self._pending, self._need = bytearray(), 1
            return
        header = self._format.header
        if not rest.startswith(header):
            possible = next(n for n in range(len(header) - 1, -1, -1) if rest.endswith(header[:n]))
            self._noise["noise"] += len(rest) - possible
            rest = rest[len(rest) - possible :]
        self._pending = bytearray(rest)
        self._need = max(len(rest) + 1, self._first_decision())

    def _first_decision(self) -> int:
        """Return the bytes of the pending candidate at which it can first be judged."""
        if len(self._pending) < len(self._format.header):
            return 1
        if len(self._pending) < self._format.head_size:
            return self._format.head_size
        frame_size = self._format.overhead + self._pending_data_size()
        tail_size = len(self._format.tail)
        return frame_size - tail_size + 1 if tail_size else frame_size

    def _pending_data_size(self) -> int:
        """Return the data bytes that the pending candidate announces, 0 before it does."""
        if len(self._pending) < self._format.head_size:
            return 0
        _addr, _cmd, length = self._format.read_head(self._pending, 0)
        return length - self._format.length_bias
