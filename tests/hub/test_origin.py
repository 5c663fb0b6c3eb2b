"""Which pages may talk to the server."""

from __future__ import annotations

import pytest

from framelink.hub.origin import browser_host, host_allowed, is_loopback, origin_allowed


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("Localhost", True), ("127.9.9.9", True), ("0.0.0.0", False),
     ("192.168.1.5", False), ("bench.local", False)],
)  # fmt: skip
def test_loopback_is_what_only_this_machine_reaches(host: str, expected: bool) -> None:
    """By address, or by the one name."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("header", "listens_on", "expected"),
    [
        ("127.0.0.1:8765", "127.0.0.1", True),
        ("localhost:8765", "127.0.0.1", True),
        ("[::1]:8765", "127.0.0.1", True),
        ("evil.example:8765", "127.0.0.1", False),
        ("192.168.1.5:8765", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("[::1", "127.0.0.1", False),
        ("192.168.1.5:8765", "0.0.0.0", True),
        ("[fe80::1]:8765", "::", True),
        ("evil.example", "0.0.0.0", False),
        ("bench.local:8765", "bench.local", True),
        ("bench.local:8765", "Bench.Local", True),
        ("BENCH.local:8765", "bench.local", True),
        ("known.example", "0.0.0.0", True),
        ("KNOWN.example", "127.0.0.1", True),
        ("localhost:8765", "0.0.0.0", True),
        ("LocalHost:8765", "bench.local", True),
        ("[::1]:8765", "192.168.1.5", True),
    ],
)
def test_a_rebound_name_does_not_get_in(header: str, listens_on: str, expected: bool) -> None:
    """Loopback names always, numbers for a server that others reach, names that were allowed, in any case."""
    assert host_allowed(header, listens_on=listens_on, allowed=("Known.example",)) is expected


@pytest.mark.parametrize(
    ("listens_on", "named"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("192.168.1.5", "192.168.1.5"), ("::", "[::1]"),
     ("fe80::1", "[fe80::1]"), ("bench.local", "bench.local")],
)  # fmt: skip
def test_a_server_has_a_name_that_a_browser_can_open(listens_on: str, named: str) -> None:
    """Also when it listens on all addresses, which is none to go to; the server knows itself by it."""
    assert browser_host(listens_on) == named
    assert host_allowed(f"{named}:8765", listens_on=listens_on)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, True),
        ("http://127.0.0.1:8765", True),
        ("https://127.0.0.1:8765", True),
        ("http://127.0.0.1:9999", False),
        ("http://evil.example", False),
        ("null", False),
        ("http://[::1", False),
        ("file://127.0.0.1:8765", False),
    ],
)
def test_only_our_own_page_and_programs_may_talk(origin: str | None, expected: bool) -> None:
    """The Origin is the server's own, or there is none."""
    assert origin_allowed(origin, "127.0.0.1:8765") is expected
