"""Transfer: what both directions of a file transfer have in common, as a pure state machine.

Frames go in, frames come out, the time is an argument.  A transfer opens a file, moves blocks, closes it:

    OPENING → MOVING → CLOSING → DONE
       ↑         │        │
       └─────────┴────────┘  after an unplugged line, a device that rebooted, a file that came out wrong

and it is FAILED when the device will not, or does not answer any more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

from framelink.device import transfer_frames as frames
from framelink.device.transfer_pace import Flight, Pace
from framelink.device.transfer_state import OVER, TransferPhase, TransferStats
from framelink.errors import TransferError
from framelink.message import RefusalCode
from framelink.wire import Frame

SILENCE_MAX = 10.0  # seconds without a word from a device whose line is there; a reboot takes 5
VERIFY_RATE = (
    50_000  # bytes a second that the slowest device verifies, see the CRC-32 in docs/firmware-size.md
)
BUSY_PAUSE = 0.2  # seconds until a busy device is asked again
BUSY_MAX = 60.0  # seconds that a device may be busy; erasing a chip's flash takes 30
STALL_MAX = 90.0  # seconds in which a device answers and nothing gets across; longer than it may be busy
MAX_REOPENINGS = 8  # in a row without a block in between; a device that always forgets never ends
MAX_RESTARTS = 2  # from the first byte, of a file that came out wrong: once is chance, thrice is a fault
CLOSE_TRIES = 3  # of a file that was read and is whole: telling the device so is a courtesy


_REASONS = {one.value: one.name.lower().replace("_", " ") for one in RefusalCode}


class Transfer:
    """One file on its way; `Outgoing` and `Incoming` say what moves.

    Args:
        addr: The device's address.
        name: The file's name there.
        pace: The line's.
        now: The time.
    """

    mode: ClassVar[int]
    """Of file_open."""
    move_cmd: ClassVar[int]
    """The command that moves a block."""

    def __init__(self, addr: int, name: str, pace: Pace, now: float) -> None:
        self.addr = addr
        self.name = name
        self.pace = pace
        self.phase = TransferPhase.OPENING
        self.stats = TransferStats()
        self.size = self.crc = 0
        self.next = 0
        """Offset of the first byte that the receiving end lacks."""
        self.resumed_at = 0
        """The same when the transfer began."""
        self.fault: TransferError | None = None
        self._handle = 0
        self._block = 1
        self._window = 1
        self._flight = Flight()
        self._again: set[int] = set()
        self._ahead = 0
        self._void = 0
        self._was_open = False
        self._furthest = 0
        self._reopenings = 0
        self._asked = 0
        self._ask_at = now
        self._heard_at = self._moved_at = now
        self._busy_since: float | None = None

    # --- What whoever drives it calls ---------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether it is done, or has failed."""
        return self.phase in OVER

    @property
    def deadline(self) -> float:
        """When `poll` is due although nothing has come in; infinity if it is over."""
        if self.is_over:
            return math.inf
        return min(self._next_look, self._gives_up_at)

    @property
    def _next_look(self) -> float:
        is_waiting = self.phase is TransferPhase.MOVING and self._flight
        return self._tail_at if is_waiting else self._ask_at

    @property
    def _tail_at(self) -> float:
        """When the silence is too long: the first block that lacks is then sent again, to hear of all."""
        return max(self._heard_at, self._flight.oldest_at) + self.pace.timeout

    @property
    def _gives_up_at(self) -> float:
        verifying = self.size / VERIFY_RATE if self.phase is TransferPhase.CLOSING else 0.0
        return min(self._heard_at + SILENCE_MAX, self._moved_at + STALL_MAX) + self.pace.patience + verifying

    def poll(self, now: float) -> Frame | None:
        """Return a frame to send now; None if there is none until a frame comes in, or the deadline."""
        if not self.is_over and now >= self._gives_up_at:
            self._fail(self._patience_text(now))
        if self.is_over:
            return None
        return self._poll_block(now) if self.phase is TransferPhase.MOVING else self._poll_control(now)

    def receive(self, frame: Frame, now: float) -> bool:
        """Take a frame from the line; tell whether it was about this transfer."""
        if frame.addr != self.addr or self.is_over:
            return False
        answer = frames.answer_of(frame)
        take = self._takers.get(type(answer))
        if take is None:
            return False
        before = self.stats.stray
        take(self, answer, now)
        if self.stats.stray == before:
            self._heard_at = now
        return True

    def interrupt(self, now: float) -> None:
        """Tell that the line broke and is there again: the file is opened again."""
        if not self.is_over:
            self._heard_at = self._moved_at = now
            self._open_again(now)

    def _patience_text(self, now: float) -> str:
        if now < self._heard_at + SILENCE_MAX:
            return f"answers, but for {now - self._moved_at:.0f} s nothing has got across"
        if not self._was_open:
            return "does not answer; is the device there, at that address, and does it know file transfers?"
        silence = now - self._heard_at
        return f"has not answered for {silence:.0f} s; transfer it again, and it goes on where it stopped"

    def _fail(self, why: str) -> None:
        self.fault = TransferError(f"{self.name}: address 0x{self.addr:02X} {why}")
        self.phase = TransferPhase.FAILED

    # --- Opening and closing ------------------------------------------------------------------------------

    def _poll_control(self, now: float) -> Frame | None:
        if now < self._ask_at:
            return None
        if self._asked:
            self.stats.silences += 1
            self.pace.waited_in_vain()
        if self._asked == CLOSE_TRIES and self.phase is TransferPhase.CLOSING and not self._must_close:
            self.phase = TransferPhase.DONE
            return None
        self._asked += 1
        self._ask_at = now + self.pace.timeout
        return self._open_frame() if self.phase is TransferPhase.OPENING else self._close_frame()

    def _open_frame(self) -> Frame:
        return frames.open_frame(self.addr, self.mode, self.name, self.size, self.crc)

    def _close_frame(self) -> Frame:
        return frames.close_frame(self.addr, self._handle)

    def _ask(self, phase: TransferPhase, at: float) -> None:
        """Begin to ask for something that is answered once."""
        self.phase = phase
        self._asked = 0
        self._ask_at = at

    def _open_again(self, at: float) -> None:
        self._flight.clear()
        self._again.clear()
        self._void = 0
        if self._was_open:
            self.stats.reopened += 1
        self._ask(TransferPhase.OPENING, at)

    def _take_opened(self, opened: frames.Opened, now: float) -> None:
        """Begin to move; of several answers, since it was asked several times, the last one holds."""
        if self.phase is TransferPhase.CLOSING:
            self.stats.stray += 1
            return
        if not (0 < opened.block <= self.pace.longest_block and opened.window):
            self._fail(f"wants {opened.window} blocks of {opened.block} bytes, which cannot be")
            return
        if self.phase is TransferPhase.MOVING:
            self._void += len(self._flight)
            self._flight.clear()
            self._again.clear()
        self.phase = TransferPhase.MOVING
        self._handle, self._block, self._window = opened.handle, opened.block, opened.window
        self._ask_at = self._moved_at = now
        self._busy_since = None
        self._began(opened)
        if not self._was_open:
            self.resumed_at = self.next
        self._was_open = True
        self._ahead = self.next
        self._move_on(now)

    def _take_closed(self, closed: frames.Closed, _now: float) -> None:
        if self.phase is not TransferPhase.CLOSING or closed.handle != self._handle:
            self.stats.stray += 1
        elif self._must_close and closed.crc != self.crc:
            self._fail(f"has stored another file: its CRC-32 is {closed.crc:08x}, not {self.crc:08x}")
        else:
            self.phase = TransferPhase.DONE

    # --- Moving -------------------------------------------------------------------------------------------

    def _poll_block(self, now: float) -> Frame | None:
        if now >= self._tail_at:
            self.stats.silences += 1
            self.pace.waited_in_vain()
            self._flight.give_up()
            self._again.clear()
            self.stats.repeated += 1
            return self._send(self.next, now)
        if now < self._ask_at or len(self._flight) >= self.pace.blocks_under_way(self._block, self._window):
            return None
        offset = self._next_offset()
        return None if offset is None else self._send(offset, now)

    def _next_offset(self) -> int | None:
        """Return which block is to be moved next, None if that has to wait."""
        if self._again:
            offset = min(self._again)
            self._again.remove(offset)
            return offset
        if not self._flight:
            self._ahead = self.next  # whatever became of those behind it
        end = min(self.next + self._window * self._block, self.size)
        while self._ahead < end:
            offset = self._ahead
            self._ahead += self._block
            if not self._has(offset):
                return offset
        return None

    def _send(self, offset: int, now: float) -> Frame:
        self._flight.add(offset, now)
        self.stats.blocks += 1
        return self._block_frame(offset)

    def _answered(self, offset: int, now: float) -> None:
        """Take the answer to a block: those sent before it and not answered are sent again."""
        if offset not in self._flight:
            self.stats.stray += 1
            return
        round_trip, lost = self._flight.answered(offset, now)
        if round_trip is not None:
            self.pace.measured(round_trip)
        self._void = 0
        for one in (*lost, offset):
            if not self._has(one) and one not in self._flight and one not in self._again:
                self._again.add(one)
                self.stats.repeated += 1

    def _advanced(self, before: int, now: float) -> None:
        """Tell that `next` may be more than before."""
        self._busy_since = None
        if self.next > before:
            self._heard_at = self._moved_at = now
        if self.next > self._furthest:  # else a device that forgets all, again and again, would never end
            self._furthest = self.next
            self._reopenings = 0
        self._again = {one for one in self._again if not self._has(one)}
        self._ahead = max(self._ahead, self.next)
        self._move_on(now)

    def _move_on(self, now: float) -> None:
        """Close the file if all of it is there."""
        if self.next >= self.size:
            self._flight.clear()
            self._again.clear()
            self._ask(TransferPhase.CLOSING, now)
            self._moved_at = now
            self._completed(now)

    # --- Refusals -----------------------------------------------------------------------------------------

    def _take_refused(self, refused: frames.Refused, now: float) -> None:
        if refused.cmd != self._awaited_cmd:
            self.stats.stray += 1
        elif refused.code == RefusalCode.BUSY:
            self._wait_for_busy(refused, now)
        elif self.phase is TransferPhase.OPENING:
            self._refused_to_open(refused)
        elif self.phase is TransferPhase.MOVING and self._void and refused.code == RefusalCode.BAD_VALUE:
            self._void -= 1  # that one bore the handle of before
        elif refused.code == RefusalCode.BAD_VALUE:
            self._handle_is_gone(refused, now)
        elif self.phase is TransferPhase.CLOSING:
            self._refused_to_close(refused, now)
        else:
            self._fail(_refusal_text(refused))

    @property
    def _awaited_cmd(self) -> int:
        controls = {TransferPhase.OPENING: frames.FILE_OPEN, TransferPhase.CLOSING: frames.FILE_CLOSE}
        return controls.get(self.phase, self.move_cmd)

    def _wait_for_busy(self, refused: frames.Refused, now: float) -> None:
        self._busy_since = now if self._busy_since is None else self._busy_since
        if now >= self._busy_since + BUSY_MAX:
            self._fail(_refusal_text(refused))
        elif self.phase is TransferPhase.MOVING:
            self._flight.give_up()
            self._again.clear()
            self._ask_at = now + BUSY_PAUSE
        else:
            self._ask(self.phase, now + BUSY_PAUSE)

    def _refused_to_open(self, refused: frames.Refused) -> None:
        if refused.code == RefusalCode.UNKNOWN_COMMAND:
            self._fail("knows no file transfers; its firmware has no storage for them")
        else:
            self._fail(_refusal_text(refused))

    def _handle_is_gone(self, refused: frames.Refused, now: float) -> None:
        """Open the file again: the device has rebooted, or was asked for another file."""
        self._reopenings += 1
        if self.phase is TransferPhase.CLOSING and not self._must_close:
            self.phase = TransferPhase.DONE
        elif self._reopenings > MAX_REOPENINGS:
            self._fail(f"{_refusal_text(refused)}, {self._reopenings} times in a row")
        else:
            self._open_again(now)

    def _refused_to_close(self, refused: frames.Refused, now: float) -> None:
        if not self._must_close:
            self.phase = TransferPhase.DONE
        elif refused.code == RefusalCode.FAILED:
            self._restart(f"{_refusal_text(refused)}", now)
        else:
            self._fail(_refusal_text(refused))

    def _restart(self, why: str, now: float) -> None:
        """Begin anew with a file that came out wrong."""
        if self.stats.restarted >= MAX_RESTARTS:
            self._fail(why)
            return
        self.stats.restarted += 1
        self.next = 0
        self._open_again(now)

    # --- What each direction says -------------------------------------------------------------------------

    _must_close: ClassVar[bool]
    """Whether the file is good only when the device has closed it."""

    def _began(self, opened: frames.Opened) -> None:
        """Take what the device says of the file, and set `next`."""
        raise NotImplementedError

    def _completed(self, now: float) -> None:
        """Do what is due when all blocks are there."""

    def _has(self, offset: int) -> bool:
        """Tell whether the receiving end has a block."""
        raise NotImplementedError

    def _block_frame(self, offset: int) -> Frame:
        """Return the frame that moves a block."""
        raise NotImplementedError

    _takers: ClassVar[dict[type, Callable[..., None]]] = {
        frames.Opened: _take_opened,
        frames.Closed: _take_closed,
        frames.Refused: _take_refused,
    }
    """Kind of answer → the method that takes it; `receive` has no other branches."""


def _refusal_text(refused: frames.Refused) -> str:
    said = f": {refused.text}" if refused.text else ""
    return f"refused: {_REASONS.get(refused.code, 'unknown reason')} (code {refused.code}){said}"
