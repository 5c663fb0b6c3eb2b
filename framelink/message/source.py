"""Source: a payload as the stream that a construct reads; what ends too soon is an error, not less data."""

from __future__ import annotations


class EndOfPayloadError(Exception):
    """The payload ends within what was to be read."""


class Source:
    """A payload, and how far it is read."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def is_empty(self) -> bool:
        """Whether all of it is read."""
        return self.at == len(self.data)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, all that are left by default.

        Raises:
            EndOfPayloadError: There are fewer.
        """
        end = len(self.data) if size < 0 else self.at + size
        if end > len(self.data):
            raise EndOfPayloadError
        start, self.at = self.at, end
        return self.data[start:end]
