"""One's own echo on a half-duplex line: told from what others say, and discarded.  Pure."""

from __future__ import annotations

from collections import deque

ECHO_PATIENCE = 0.1  # seconds after which an echo does not come any more; USB adapters hold bytes for 16 ms
ECHO_LEAD = 4  # bytes before an echo that are not ours: drivers that switch make one or two
ECHO_WRITES = 16  # writes whose echo is awaited; it is one, or two where a timer was late


class Echo:
    """Finds the bytes that were sent among those received, and takes them out.

    What is not exactly an echo is passed on: damage by a collision, a line without echo.  Nothing is lost,
    and nothing but the beginning of what may be an echo is held back.
    """

    def __init__(self) -> None:
        self._expected: deque[tuple[bytes, float]] = deque()
        self._held = b""
        self._strangers = 0  # bytes since the last echo, or since it was given up, that are none
        self.discarded = 0
        """Bytes of echo."""
        self.mismatches = 0
        """Writes whose echo did not come, or not as it was sent."""

    def sent(self, data: bytes, now: float, ends: float) -> None:
        """Expect an echo of what was sent, that ends about then."""
        self._expire(now)
        if len(self._expected) == ECHO_WRITES:
            self._give_up()
        if not self._expected:
            self._strangers = 0
        if data:
            self._expected.append((data, ends + ECHO_PATIENCE))

    def strip(self, chunk: bytes, now: float) -> bytes:
        """Return received bytes without the echo."""
        self._expire(now)
        data, self._held = self._held + chunk, b""
        passed = bytearray()
        while self._expected and data:
            wanted = self._expected[0][0]
            if data.startswith(wanted):
                self._expected.popleft()
                self._strangers = 0
                self.discarded += len(wanted)
                data = data[len(wanted) :]
            elif wanted.startswith(data):
                self._held = data
                return bytes(passed)
            else:
                passed.append(data[0])
                data = data[1:]
                self._meet_stranger()
        return bytes(passed) + data

    def reset(self) -> None:
        """Expect nothing any more: the line is another one."""
        self._expected.clear()
        self._held = b""
        self._strangers = 0

    def _meet_stranger(self) -> None:
        self._strangers += 1
        if self._strangers > ECHO_LEAD:
            self._give_up()

    def _give_up(self) -> None:
        """Expect the first write's echo no more; what is left of it may come before the next one's."""
        data, _until = self._expected.popleft()
        self._strangers = -len(data)
        self.mismatches += 1

    def _expire(self, now: float) -> None:
        while self._expected and now > self._expected[0][1]:
            self._give_up()
            self._strangers = 0
