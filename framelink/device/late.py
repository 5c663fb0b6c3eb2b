"""Replies that come after their request's end: told apart from those of the next.  Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from framelink.device.exchange import Exchange
from framelink.wire import Frame

KEPT = 64  # ended requests that may still be answered; a second of a fast line's, of which a tenth are lost


class Belated(enum.Enum):
    """What a reply is that nobody waits for."""

    LATE = "late"  # its request had been given up
    DUPLICATE = "duplicate"  # its request had been answered


@dataclass
class Ended:
    """A request that has ended, but may still be answered.

    Attributes:
        exchange: The request.
        replies: How many replies there may be.
        until: When they are not expected any more.
    """

    exchange: Exchange
    replies: int
    until: float


class LateReplies:
    """The ended requests of one device that may still be answered."""

    def __init__(self) -> None:
        self._ended: dict[tuple[int, int | None], Ended] = {}

    def note(self, exchange: Exchange, now: float, wait: float) -> None:
        """Keep in mind how many replies to an exchange that has ended may come within `wait` seconds."""
        if not exchange.sendings:
            return
        key = (exchange.reply_cmd, exchange.sequence)
        before = self._ended.pop(key, None)
        replies = exchange.outstanding
        until = now + wait if replies else now
        if before is not None and exchange.sequence is None and now < before.until:
            replies += before.replies
            until = max(until, before.until)
        if replies > 0:
            self._make_room(now)
            self._ended[key] = Ended(exchange, replies, until)

    def _make_room(self, now: float) -> None:
        for key, one in tuple(self._ended.items()):
            if now >= one.until or len(self._ended) >= KEPT:
                del self._ended[key]

    def take(self, frame: Frame) -> tuple[Belated, Exchange | None] | None:
        """Take a frame that nobody waits for; tell what it is, None if it answers none of them.

        With it comes the exchange whose sendings have all been answered by now, if it was answered at all:
        then none was lost, and the first reply answered the first sending.
        """
        for key, one in self._ended.items():
            if one.replies > 0 and one.exchange.is_answer(frame):
                one.replies -= 1
                if one.replies == 0:
                    del self._ended[key]
                whole = one.replies == 0 and one.exchange.is_settled
                kind = Belated.DUPLICATE if one.exchange.is_settled else Belated.LATE
                return kind, one.exchange if whole else None
        return None

    def in_the_way(self, exchange: Exchange) -> Ended | None:
        """Return what must pass before an exchange may begin, since its replies would be taken for its own.

        A number tells replies apart; to the very same request a late one may as well be the reply.
        """
        if exchange.sequence is not None:
            return None
        ended = self._ended.get((exchange.reply_cmd, None))
        return None if ended is None or ended.exchange.request == exchange.request else ended

    def forget(self, ended: Ended) -> None:
        """Expect no more replies to that one."""
        self._ended = {key: one for key, one in self._ended.items() if one is not ended}
