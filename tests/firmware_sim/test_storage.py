"""A simulated device's files: handles, blocks in any order, what a reboot leaves, and refusals."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

from firmware_sim import MODELS, Scenario, SimulatedDevice, Simulation, schema_of
from firmware_sim.models import Refusal
from firmware_sim.storage import MAX_FILES, WINDOW, Storage
from framelink.errors import ConfigError
from framelink.message import RefusalCode
from framelink.wire import Frame, FrameFormat, Receiver, encode

BLOCK = 10
DATA = bytes(range(95))
"""Ten blocks, the last of which is half a one."""


def opened(storage: Storage, data: bytes = DATA, name: str = "f", mode: str = "write") -> dict[str, Any]:
    """Open a file and return what the device says."""
    fields = {"mode": mode, "size": len(data), "crc": zlib.crc32(data), "name": name}
    return storage.commands["file_open"](fields)


def write(storage: Storage, handle: Any, block: int, data: bytes = DATA) -> dict[str, Any]:
    """Write a block of the data and return what the device says."""
    at = block * BLOCK
    return storage.commands["file_write"]({"handle": handle, "offset": at, "data": data[at : at + BLOCK]})


def close(storage: Storage, handle: Any) -> dict[str, Any]:
    """Close a file and return what the device says."""
    return storage.commands["file_close"]({"handle": handle})


def stored(storage: Storage, data: bytes = DATA, name: str = "f") -> None:
    """Put a whole file into the storage."""
    handle = opened(storage, data, name)["handle"]
    for block in range(-(-len(data) // BLOCK)):
        write(storage, handle, block, data)
    close(storage, handle)


def refusal(command: Any, *arguments: Any) -> RefusalCode:
    """Return why something is refused."""
    with pytest.raises(Refusal) as caught:
        command(*arguments)
    return caught.value.code


class TestWriting:
    """file_open to write, file_write, file_close."""

    def test_blocks_in_any_order_make_the_file(self) -> None:
        """Each reply tells what is there."""
        storage = Storage(BLOCK)
        reply = opened(storage)
        assert (reply["block"], reply["window"], reply["next"], reply["size"]) == (
            BLOCK,
            WINDOW,
            0,
            len(DATA),
        )
        handle = reply["handle"]
        assert write(storage, handle, 2) == {"handle": handle, "offset": 20, "next": 0, "map": 0b10}
        assert write(storage, handle, 0) == {"handle": handle, "offset": 0, "next": 10, "map": 0b1}
        assert write(storage, handle, 1) == {"handle": handle, "offset": 10, "next": 30, "map": 0}
        for block in random.Random(1).sample(range(3, 10), 7):
            said = write(storage, handle, block)
        assert (said["next"], said["map"]) == (len(DATA), 0)
        assert close(storage, handle) == {"handle": handle, "crc": zlib.crc32(DATA)}
        assert storage.files == {"f": DATA}

    def test_a_block_that_comes_again_is_answered_and_not_written(self) -> None:
        """Whatever it holds, early ones too."""
        storage = Storage(BLOCK)
        handle = opened(storage)["handle"]
        for block in (0, 2, 0, 2):
            said = write(storage, handle, block, DATA if not storage.blocks_written // 2 else bytes(95))
        assert (said["next"], said["map"]) == (10, 0b1)
        for block in range(1, 10):
            write(storage, handle, block)
        close(storage, handle)
        assert storage.files["f"] == DATA

    def test_a_block_beyond_the_window_is_answered_and_not_written(self) -> None:
        """There is no bit for it in the map."""
        data = bytes(BLOCK * (WINDOW + 2))
        storage = Storage(BLOCK)
        handle = opened(storage, data)["handle"]
        assert write(storage, handle, WINDOW, data)["map"] == 0
        assert write(storage, handle, WINDOW - 1, data)["map"] == 1 << (WINDOW - 2)

    def test_an_older_file_stays_until_the_new_one_is_verified(self) -> None:
        """A wrong one is forgotten, and its handle with it."""
        storage = Storage(BLOCK)
        stored(storage)
        handle = opened(storage, bytes(15))["handle"]
        write(storage, handle, 0, bytes([9] * 15))
        write(storage, handle, 1, bytes(15))
        assert storage.files["f"] == DATA
        assert refusal(close, storage, handle) is RefusalCode.FAILED
        assert refusal(close, storage, handle) is RefusalCode.BAD_VALUE
        assert storage.files["f"] == DATA
        assert opened(storage, bytes(15))["next"] == 0

    def test_a_file_that_is_not_whole_cannot_be_closed(self) -> None:
        """Blocks that lack are as wrong as wrong ones."""
        storage = Storage(BLOCK)
        assert refusal(close, storage, opened(storage)["handle"]) is RefusalCode.FAILED

    def test_closing_again_is_answered_again(self) -> None:
        """A host whose reply was lost asks again; nothing else is left of the handle."""
        storage = Storage(BLOCK)
        stored(storage)
        handle = opened(storage)["handle"]
        assert close(storage, handle) == close(storage, handle)
        assert refusal(write, storage, handle, 0) is RefusalCode.BAD_VALUE

    def test_a_file_that_is_there_lacks_nothing(self) -> None:
        """Opening it again to write the same has it whole at once."""
        storage = Storage(BLOCK)
        stored(storage)
        reply = opened(storage)
        assert reply["next"] == len(DATA)
        assert close(storage, reply["handle"])["crc"] == zlib.crc32(DATA)

    def test_an_empty_file_is_one(self) -> None:
        """It is whole when it is opened."""
        storage = Storage(BLOCK)
        stored(storage, b"", "empty")
        assert storage.files == {"empty": b""}


class TestResuming:
    """What is left of a file that was being written."""

    def test_opening_again_goes_on_with_another_handle(self) -> None:
        """The old handle is not known any more; what was written is there."""
        storage = Storage(BLOCK)
        old = opened(storage)["handle"]
        write(storage, old, 0)
        reply = opened(storage)
        assert reply["next"] == BLOCK
        assert reply["handle"] != old
        assert refusal(write, storage, old, 1) is RefusalCode.BAD_VALUE

    def test_a_reboot_keeps_what_is_before_the_first_gap(self) -> None:
        """The map is in memory that loses it, and no handle holds."""
        storage = Storage(BLOCK)
        handle = opened(storage)["handle"]
        write(storage, handle, 0)
        write(storage, handle, 2)
        storage.reboot()
        assert refusal(write, storage, handle, 1) is RefusalCode.BAD_VALUE
        reply = opened(storage)
        assert reply["next"] == BLOCK
        assert write(storage, reply["handle"], 1)["next"] == 2 * BLOCK

    @pytest.mark.parametrize(("name", "data"), [("g", DATA), ("f", DATA[:-1]), ("f", bytes(95))])
    def test_another_file_begins_anew(self, name: str, data: bytes) -> None:
        """Name, size and CRC-32 say whether it is the same."""
        storage = Storage(BLOCK)
        write(storage, opened(storage)["handle"], 0)
        assert opened(storage, data, name)["next"] == 0
        assert opened(storage)["next"] == 0

    def test_reading_in_between_changes_nothing(self) -> None:
        """But the handle."""
        storage = Storage(BLOCK)
        stored(storage, b"old", "old")
        handle = opened(storage)["handle"]
        write(storage, handle, 0)
        opened(storage, name="old", mode="read")
        assert refusal(write, storage, handle, 1) is RefusalCode.BAD_VALUE
        assert opened(storage)["next"] == BLOCK


class TestReading:
    """file_open to read, file_read, file_list."""

    def test_blocks_of_a_file_are_read_in_any_order(self) -> None:
        """The last one has what is left."""
        storage = Storage(BLOCK)
        stored(storage)
        reply = opened(storage, b"", mode="read")
        assert (reply["size"], reply["crc"]) == (len(DATA), zlib.crc32(DATA))
        for offset in (90, 0, 37):
            read = storage.commands["file_read"]({"handle": reply["handle"], "offset": offset})
            assert read == {
                "handle": reply["handle"],
                "offset": offset,
                "data": DATA[offset : offset + BLOCK],
            }
        assert close(storage, reply["handle"])["crc"] == zlib.crc32(DATA)

    def test_what_cannot_be_read_is_refused(self) -> None:
        """A file that is not there, a place behind its end, another handle, a file that is being written."""
        storage = Storage(BLOCK)
        assert refusal(opened, storage, b"", "none", "read") is RefusalCode.BAD_VALUE
        stored(storage)
        handle = opened(storage, b"", mode="read")["handle"]
        read = storage.commands["file_read"]
        assert refusal(read, {"handle": handle, "offset": 96}) is RefusalCode.BAD_VALUE
        assert refusal(read, {"handle": handle ^ 1, "offset": 0}) is RefusalCode.BAD_VALUE
        handle = opened(storage, bytes(20))["handle"]
        assert refusal(read, {"handle": handle, "offset": 0}) is RefusalCode.BAD_VALUE

    def test_the_files_are_listed_in_the_order_of_their_names(self) -> None:
        """Behind the last, the number is refused."""
        storage = Storage(BLOCK)
        for name in ("b", "a"):
            stored(storage, name.encode(), name)
        said = [storage.commands["file_list"]({"index": index}) for index in (0, 1)]
        assert [one["name"] for one in said] == ["a", "b"]
        assert said[0] == {"index": 0, "size": 1, "crc": zlib.crc32(b"a"), "name": "a"}
        assert refusal(storage.commands["file_list"], {"index": 2}) is RefusalCode.BAD_VALUE


class TestLimits:
    """What a storage does not take."""

    def test_a_file_that_has_no_room_is_refused(self) -> None:
        """What is there counts, also an older file of that name: both are there for a while."""
        storage = Storage(BLOCK, capacity=100)
        stored(storage)
        assert storage.free == 5
        assert refusal(opened, storage, bytes(6), "g") is RefusalCode.FAILED
        stored(storage, bytes(5), "g")

    def test_a_full_directory_is_refused(self) -> None:
        """An older file can still be replaced."""
        storage = Storage(BLOCK)
        for number in range(MAX_FILES):
            stored(storage, b"x", str(number))
        assert refusal(opened, storage, DATA, "one more") is RefusalCode.FAILED
        stored(storage, b"y", "0")

    def test_a_write_protected_storage_can_be_read(self) -> None:
        """And refuses to write."""
        storage = Storage(BLOCK, is_write_protected=True)
        storage.files["f"] = DATA
        assert refusal(opened, storage) is RefusalCode.NOT_PERMITTED
        assert opened(storage, mode="read")["size"] == len(DATA)

    def test_blocks_that_cannot_be_are_refused(self) -> None:
        """Of another length, or in a place where none begins."""
        storage = Storage(BLOCK)
        handle = opened(storage)["handle"]
        send = storage.commands["file_write"]
        for offset, size, code in (
            (0, 9, RefusalCode.BAD_LENGTH),
            (90, 10, RefusalCode.BAD_LENGTH),
            (5, 10, RefusalCode.BAD_VALUE),
            (100, 0, RefusalCode.BAD_VALUE),
        ):
            assert refusal(send, {"handle": handle, "offset": offset, "data": bytes(size)}) is code

    def test_a_file_needs_a_name_and_a_mode(self) -> None:
        """Others are refused."""
        assert refusal(opened, Storage(BLOCK), DATA, "") is RefusalCode.BAD_VALUE
        assert refusal(opened, Storage(BLOCK), DATA, "f", 7) is RefusalCode.BAD_VALUE


class TestDevice:
    """The storage of a simulated device."""

    def test_every_device_answers_the_commands(self) -> None:
        """Blocks are as long as its frames allow."""
        device = SimulatedDevice("node", 1, schema_of("weather"), MODELS["weather"](1), telemetry="weather")
        [reply] = Receiver().feed(
            b"".join(device.feed(encode(Frame(1, 0x70, b"\x01" + bytes(8) + b"f")), 0.0))
        )
        assert reply.cmd == 0xF0
        assert reply.data[1:3] == (250).to_bytes(2, "little")
        [refused] = Receiver().feed(b"".join(device.feed(encode(Frame(1, 0x74, b"\x00\x00")), 0.0)))
        assert (refused.cmd, refused.data[:2]) == (0xFF, b"\x74\x03")

    def test_short_frames_have_short_blocks(self) -> None:
        """Five bytes less than the frame's data."""
        device = SimulatedDevice(
            "node",
            1,
            schema_of("weather"),
            MODELS["weather"](1),
            telemetry="weather",
            format=FrameFormat(max_data=64),
            storage=1_000,
        )
        assert opened(device.storage)["block"] == 59
        assert device.storage.capacity == 1_000

    def test_a_scenario_says_how_much_it_stores(self) -> None:
        """Within what a computer's memory has for many of them."""
        text = '[[port]]\nname = "p"\n[[port.device]]\nmodel = "weather"\naddr = 1\nstorage = {}'
        simulation = Simulation(Scenario.parse(text.format(500)))
        assert simulation.devices("p")[0].storage.capacity == 500
        with pytest.raises(ConfigError, match="storage must be 0 to 16777216 bytes, not -1"):
            Scenario.parse(text.format(-1))
