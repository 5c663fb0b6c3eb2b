"""Files on the C device, over the demo's storage: written in any order, verified, read, kept over a reset."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

from framelink.wire import BROADCAST, Frame, encode
from tests.firmware.bench import Bench
from tests.firmware.file_bench import (
    BAD_LENGTH,
    BAD_VALUE,
    BLOCK,
    BROKEN,
    FAILED,
    FILE,
    NOT_PERMITTED,
    ROOM,
    STANDARD,
    WINDOW,
    FileBench,
    Refused,
)


@pytest.fixture
def bench() -> FileBench:
    """A device without any file."""
    return FileBench()


def test_the_crc_is_that_of_zlib(bench: FileBench) -> None:
    """Of nothing, of the check value's text, and in parts."""
    for data in (b"", b"123456789", bytes(range(256)) * 5):
        assert bench.c.bench_crc(0, data, len(data)) & 0xFFFFFFFF == zlib.crc32(data)
        first = bench.c.bench_crc(0, data[:100], len(data[:100]))
        assert bench.c.bench_crc(first, data[100:], len(data[100:])) & 0xFFFFFFFF == zlib.crc32(data)


def test_opening_tells_block_window_and_what_lacks(bench: FileBench) -> None:
    """A block is what a frame can carry beside handle and offset."""
    opened = bench.open()
    handle = opened.pop("handle")
    expected = {"block": BLOCK, "window": WINDOW, "size": len(FILE), "crc": zlib.crc32(FILE), "next": 0}
    assert opened == expected
    assert bench.open()["handle"] == (handle + 1) & 0xFF


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK, len(FILE)])
def test_a_file_comes_back_as_it_was_written(bench: FileBench, size: int) -> None:
    """Whatever its size, and it is listed."""
    bench.put(FILE[:size])
    assert bench.get() == FILE[:size]
    assert bench.names() == {"a.txt": (size, zlib.crc32(FILE[:size]))}


def test_blocks_may_come_in_any_order_and_twice(bench: FileBench) -> None:
    """The replies tell the first that lacks, and which of those behind it are there."""
    handle = bench.open()["handle"]
    assert bench.write(handle, 2) == {"handle": handle, "offset": 2 * BLOCK, "next": 0, "map": 0b10}
    assert bench.write(handle, 4)["map"] == 0b1010
    assert bench.write(handle, 2)["map"] == 0b1010
    assert bench.write(handle, 0) == {"handle": handle, "offset": 0, "next": BLOCK, "map": 0b101}
    assert bench.write(handle, 0)["next"] == BLOCK
    after = bench.write(handle, 1)
    assert (after["next"], after["map"]) == (3 * BLOCK, 0b1)
    assert bench.write(handle, 3)["next"] == 5 * BLOCK
    for number in (10, 9, 8, 7, 6, 5):
        after = bench.write(handle, number)
    assert (after["next"], after["map"]) == (len(FILE), 0)
    bench.call("file_close", handle=handle)
    assert bench.get() == FILE


def test_any_order_at_all_gives_the_file(bench: FileBench) -> None:
    """Seeded shuffles of more blocks than the window has, all sent until none lacks."""
    rng = random.Random(2)
    assert ROOM > 60 * BLOCK
    for run in range(20):
        data = rng.randbytes(rng.randrange(1, ROOM))
        bench.power_up(run)
        opened = bench.open(data)
        blocks = list(range(-(-len(data) // BLOCK)))
        while opened["next"] < len(data):
            rng.shuffle(blocks)
            for number in blocks:
                opened |= bench.write(opened["handle"], number, data)
        bench.call("file_close", handle=opened["handle"])
        assert bench.get() == data


def test_a_block_outside_of_the_window_is_answered_and_not_written(bench: FileBench) -> None:
    """The host sends it again when its time has come."""
    data = bytes(range(256)) * 12
    handle = bench.open(data)["handle"]
    assert bench.write(handle, WINDOW, data)["map"] == 0
    assert bench.write(handle, WINDOW - 1, data)["map"] == 1 << 30
    assert bench.write(handle, 0, data)["map"] == 1 << 29
    assert bench.write(handle, WINDOW, data)["map"] == 3 << 29


@pytest.mark.parametrize(
    ("name", "fields", "code", "text"),
    [
        ("file_write", {"offset": 1, "data": bytes(BLOCK)}, BAD_VALUE, "no block begins there"),
        ("file_write", {"offset": 11 * BLOCK, "data": b""}, BAD_VALUE, "no block begins there"),
        ("file_write", {"offset": 0xFFFFFFFF, "data": b""}, BAD_VALUE, "no block begins there"),
        ("file_write", {"offset": 0, "data": bytes(BLOCK - 1)}, BAD_LENGTH, ""),
        ("file_write", {"offset": 10 * BLOCK, "data": bytes(8)}, BAD_LENGTH, ""),
        ("file_write", {"offset": 0, "data": b""}, BAD_LENGTH, ""),
        ("file_read", {"offset": 0}, BAD_VALUE, "no such transfer"),
    ],
)
def test_what_is_no_block_of_the_file_is_refused(
    bench: FileBench, name: str, fields: dict[str, Any], code: int, text: str
) -> None:
    """And the transfer goes on."""
    handle = bench.open()["handle"]
    with pytest.raises(Refused) as refused:
        bench.call(name, handle=handle, **fields)
    assert refused.value.args == (code, text)
    assert bench.write(handle, 0)["next"] == BLOCK


def test_only_the_open_file_has_a_handle(bench: FileBench) -> None:
    """Before any, another, an older one, and one from before a reset."""
    steps: list[tuple[str, dict[str, Any]]] = [
        ("file_write", {"offset": 0, "data": bytes(BLOCK)}),
        ("file_read", {"offset": 0}),
        ("file_close", {}),
    ]

    def refuse(handle: int) -> None:
        for name, fields in steps:
            with pytest.raises(Refused) as refused:
                bench.call(name, handle=handle & 0xFF, **fields)
            assert refused.value.args == (BAD_VALUE, "no such transfer")

    for handle in range(256):
        refuse(handle)
    old = bench.open()["handle"]
    refuse(old + 1)
    new = bench.open(name="b")["handle"]
    refuse(old)
    bench.reset()
    refuse(new)
    assert bench.open()["handle"] not in (old, new)


def test_a_wrong_check_is_refused_and_the_older_file_stays(bench: FileBench) -> None:
    """The new one is forgotten: it begins at its start again."""
    bench.put()
    other = FILE[::-1]
    handle = bench.open(other, crc=1)["handle"]
    for number in range(11):
        bench.write(handle, number, other)
    with pytest.raises(Refused) as refused:
        bench.call("file_close", handle=handle)
    assert refused.value.args == (FAILED, "size or CRC-32 is wrong")
    with pytest.raises(Refused) as refused:
        bench.call("file_close", handle=handle)
    assert refused.value.args == (BAD_VALUE, "no such transfer")
    assert bench.get() == FILE
    assert bench.open(other, crc=1)["next"] == 0


def test_a_file_that_is_not_whole_cannot_be_closed(bench: FileBench) -> None:
    """It is forgotten."""
    handle = bench.open()["handle"]
    bench.write(handle, 0)
    with pytest.raises(Refused) as refused:
        bench.call("file_close", handle=handle)
    assert refused.value.args[0] == FAILED
    assert bench.names() == {}


def test_closing_may_be_repeated(bench: FileBench) -> None:
    """Its reply may have been lost."""
    handle = bench.open(b"abc")["handle"]
    bench.write(handle, 0, b"abc")
    for _ in range(3):
        assert bench.call("file_close", handle=handle) == {"handle": handle, "crc": zlib.crc32(b"abc")}
    assert bench.get() == b"abc"


def test_a_newer_file_takes_the_older_ones_place_when_it_is_closed(bench: FileBench) -> None:
    """Not before."""
    bench.put(b"old")
    handle = bench.open(b"newer")["handle"]
    bench.write(handle, 0, b"newer")
    assert bench.names() == {"a.txt": (3, zlib.crc32(b"old"))}
    bench.call("file_close", handle=handle)
    assert bench.names() == {"a.txt": (5, zlib.crc32(b"newer"))}
    bench.put(b"other", "b")
    assert set(bench.names()) == {"a.txt", "b"}


def test_a_transfer_goes_on_after_it_was_opened_again(bench: FileBench) -> None:
    """As after an unplug: what came before counts, also what came early."""
    handle = bench.open()["handle"]
    for number in (0, 1, 2, 4):
        bench.write(handle, number)
    opened = bench.open()
    assert opened["next"] == 3 * BLOCK
    after = bench.write(opened["handle"], 3)
    assert (after["next"], after["map"]) == (5 * BLOCK, 0)


@pytest.mark.parametrize("done", range(12))
def test_a_transfer_goes_on_after_a_reset(bench: FileBench, done: int) -> None:
    """After any number of blocks; what came early is sent once more."""
    handle = bench.open()["handle"]
    for number in range(done):
        if number < 11:
            bench.write(handle, number)
    bench.reset()
    opened = bench.open()
    assert opened["next"] == min(done * BLOCK, len(FILE))
    for number in range(opened["next"] // BLOCK, 11):
        if number * BLOCK >= opened["next"]:
            bench.write(opened["handle"], number)
    bench.call("file_close", handle=opened["handle"])
    assert bench.get() == FILE


def test_a_reset_before_the_reply_to_close_needs_no_second_transfer(bench: FileBench) -> None:
    """Who opens the same file again is told that nothing lacks."""
    bench.put()
    bench.reset()
    opened = bench.open()
    assert opened["next"] == len(FILE)
    bench.call("file_close", handle=opened["handle"])
    assert bench.names() == {"a.txt": (len(FILE), zlib.crc32(FILE))}


def test_files_outlive_a_reset_and_not_the_power(bench: FileBench) -> None:
    """Whatever stands in the memory when power comes."""
    bench.put()
    bench.reset()
    assert bench.get() == FILE
    for filler in (0, 0x55, 0xFF):
        bench.power_up(filler)
        assert bench.names() == {}


def test_another_file_does_not_go_on_where_one_was_left(bench: FileBench) -> None:
    """Name, size and check say which is which."""
    handle = bench.open()["handle"]
    bench.write(handle, 0)
    assert bench.open(name="b")["next"] == 0
    assert bench.open(FILE[:-1])["next"] == 0
    assert bench.open(FILE[::-1])["next"] == 0


def test_what_has_no_room_is_refused(bench: FileBench) -> None:
    """Too large, too many, too long a name; the files that are there stay."""
    bench.put(bytes(ROOM))
    with pytest.raises(Refused) as refused:
        bench.open(b"x", "b")
    assert refused.value.args == (FAILED, "no room")
    with pytest.raises(Refused):
        bench.call("file_open", mode="write", size=0xFFFFFFFF, crc=0, name="b")
    with pytest.raises(Refused) as refused:
        bench.open(b"x", "n" * 24)
    assert refused.value.args == (BAD_VALUE, "a name has at most 23 bytes")
    assert bench.get() == bytes(ROOM)
    bench.power_up(0)
    for number in range(8):
        bench.put(b"x", str(number))
    with pytest.raises(Refused):
        bench.open(b"x", "8")
    assert len(bench.names()) == 8


def test_room_between_files_is_used_again(bench: FileBench) -> None:
    """200 files of all sizes, each in the place of an older one, are what was written last."""
    rng, latest = random.Random(3), {}
    for number in range(200):
        name, data = rng.choice("abc"), rng.randbytes(rng.randrange(300))
        bench.put(data, name)
        latest[name] = data
        if number % 20 == 0:
            bench.reset()
        assert {one: bench.get(one) for one in latest} == latest


def test_reading_what_is_not_there_is_refused(bench: FileBench) -> None:
    """A name, an offset, a mode, and no name at all."""
    with pytest.raises(Refused) as refused:
        bench.call("file_open", mode="read", size=0, crc=0, name="b")
    assert refused.value.args == (BAD_VALUE, "no such file")
    assert bench.ask(0x70, b"\x02" + bytes(8) + b"b").data[:2] == bytes([0x70, BAD_VALUE])
    with pytest.raises(Refused) as refused:
        bench.call("file_open", mode="write", size=0, crc=0, name="")
    assert refused.value.args == (BAD_VALUE, "a mode is 0 or 1, and a file has a name")
    bench.put(b"abc")
    handle = bench.call("file_open", mode="read", size=0, crc=0, name="a.txt")["handle"]
    assert bench.call("file_read", handle=handle, offset=2)["data"] == b"c"
    assert bench.call("file_read", handle=handle, offset=3)["data"] == b""
    with pytest.raises(Refused) as refused:
        bench.call("file_read", handle=handle, offset=4)
    assert refused.value.args == (BAD_VALUE, "behind the end of the file")


def test_a_file_that_was_closed_is_not_read_any_more(bench: FileBench) -> None:
    """Closing it again is answered."""
    bench.put(b"abc")
    opened = bench.call("file_open", mode="read", size=0, crc=0, name="a.txt")
    for _ in range(2):
        assert bench.call("file_close", handle=opened["handle"])["crc"] == zlib.crc32(b"abc")
    with pytest.raises(Refused) as refused:
        bench.call("file_read", handle=opened["handle"], offset=0)
    assert refused.value.args == (BAD_VALUE, "no such transfer")


def test_a_storage_that_fails_is_told_of() -> None:
    """It cannot write, read or commit; its own block and words are used."""
    bench = FileBench(BROKEN)
    opened = bench.call("file_open", mode="write", size=20, crc=0, name="b")
    assert (opened["block"], opened["window"]) == (16, WINDOW)
    with pytest.raises(Refused) as refused:
        bench.call("file_write", handle=opened["handle"], offset=0, data=bytes(16))
    assert refused.value.args == (FAILED, "cannot be written")
    handle = bench.call("file_open", mode="read", size=0, crc=0, name="b")["handle"]
    with pytest.raises(Refused) as refused:
        bench.call("file_read", handle=handle, offset=0)
    assert refused.value.args == (FAILED, "cannot be read")
    handle = bench.call("file_open", mode="write", size=100, crc=0, name="b")["handle"]
    with pytest.raises(Refused) as refused:
        bench.call("file_close", handle=handle)
    assert refused.value.args[0] == FAILED
    handle = bench.call("file_open", mode="write", size=0, crc=0, name="b")["handle"]
    with pytest.raises(Refused) as refused:
        bench.call("file_close", handle=handle)
    assert refused.value.args == (NOT_PERMITTED, "worn out")


def test_a_device_without_files_does_not_know_the_commands() -> None:
    """Code 1, as for every command that it does not know."""
    for cmd in range(0x70, 0x75):
        assert Bench().ask(cmd, bytes(20)).data[:2] == bytes([cmd, 1])


def test_steps_for_all_are_not_answered(bench: FileBench) -> None:
    """As every broadcast."""
    opened = STANDARD.encode(BROADCAST, "file_open", {"mode": "write", "size": 1, "crc": 0, "name": "x"})
    assert bench.feed(encode(opened)) == []
    assert bench.ask(1) == Frame(1, 0x81)
