"""DeviceStats: how requests to a device have fared."""

from __future__ import annotations

from dataclasses import dataclass

from framelink.device.round_trips import RoundTrips


@dataclass
class Tally:
    """The counters behind `DeviceStats`, while they run."""

    requests: int = 0
    replies: int = 0
    retries: int = 0
    timeouts: int = 0
    refused: int = 0
    late: int = 0
    duplicates: int = 0
    reboots: int = 0
    events_dropped: int = 0
    events_undecodable: int = 0


@dataclass(frozen=True)
class DeviceStats:
    """A device's figures at one moment; all programs' parts that ask it over one link share them.

    Attributes:
        requests: Requests begun, those that find out what it is included.
        replies: Those that had their reply.
        retries: Sendings beyond each request's first.
        timeouts: Requests that had none, all retries included.
        refused: Requests that the device refused.
        late: Replies to requests that had been given up.
        duplicates: Further replies to requests that had one.
        reboots: How often its boot counter was found to be another.
        events_dropped: Events that were dropped because nobody took them from a full queue.
        events_undecodable: Events whose payload did not fit the schema.
        rtt_smoothed: Seconds that a round trip takes besides the time of its bytes; None before the first.
        rtt_variance: By how much, in seconds, they differ from that.
        rtt_timeout: Seconds that a reply without data to a request without data is waited for.
        p50: Seconds within which half of the recent requests had their reply, repeats included; None
            before the first.
        p99: The same for 99 in 100.
    """

    requests: int
    replies: int
    retries: int
    timeouts: int
    refused: int
    late: int
    duplicates: int
    reboots: int
    events_dropped: int
    events_undecodable: int
    rtt_smoothed: float | None
    rtt_variance: float
    rtt_timeout: float
    p50: float | None
    p99: float | None


def snapshot(tally: Tally, trips: RoundTrips, empty_exchange: int) -> DeviceStats:
    """Return the figures now; `empty_exchange` is the bytes of a request and a reply without data."""
    return DeviceStats(
        **vars(tally),
        rtt_smoothed=trips.smoothed,
        rtt_variance=trips.variance,
        rtt_timeout=trips.timeout(empty_exchange),
        p50=trips.percentile(0.5),
        p99=trips.percentile(0.99),
    )
