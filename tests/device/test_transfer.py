"""Transfers as pure machines, against a simulated device over a bad line, in virtual time."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim import Fault
from framelink.device.transfer import (
    BUSY_MAX,
    CLOSE_TRIES,
    MAX_REOPENINGS,
    MAX_RESTARTS,
    SILENCE_MAX,
    Transfer,
)
from framelink.device.transfer_incoming import Held, Incoming
from framelink.device.transfer_outgoing import Outgoing
from framelink.device.transfer_pace import Pace
from framelink.device.transfer_state import TransferPhase
from framelink.wire import DEFAULT_FORMAT, Frame
from tests.support.transfer_rig import ADDR, Pile, Rig

DATA = random.Random(1).randbytes(65_536)
SMALL = DATA[:2_000]
BLOCK = 250
DIRECTIONS = ["put", "get"]
PAYLOAD_SHARE = BLOCK / 264
"""How much of a full block's frame is the file's."""

HOSTILE = {
    "dropped": Fault(drop=0.1),
    "cut": Fault(cut=0.1),
    "bursts": Fault(bursts=0.1),
    "bit errors": Fault(bit_errors=1e-4),
    "lost and added bytes": Fault(lost=2e-4, added=2e-4),
    "doubled bytes": Fault(repeated=2e-4),
    "late": Fault(delay=0.3),
    "in small chunks": Fault(chunk=7),
}


def carried(rig: Rig, direction: str, data: bytes = DATA) -> Transfer:
    """Carry the data over the rig and check that all of it is there."""
    if direction == "put":
        transfer: Transfer = rig.run(rig.outgoing(data))
        there = rig.device.storage.files.get("f")
    else:
        rig.device.storage.files["f"] = data
        pile = Pile()
        transfer = rig.run(rig.incoming(pile))
        there = bytes(pile.data)
    assert transfer.phase is TransferPhase.DONE, transfer.fault
    assert there == data
    assert (transfer.next, transfer.size, transfer.crc) == (len(data), len(data), zlib.crc32(data))
    return transfer


def failed(rig: Rig, transfer: Transfer) -> str:
    """Run a transfer that fails and return what it says."""
    rig.run(transfer)
    assert transfer.phase is TransferPhase.FAILED
    assert transfer.deadline == float("inf")
    return str(transfer.fault)


@pytest.mark.parametrize("direction", DIRECTIONS)
class TestBothWays:
    """What holds for put and get."""

    @pytest.mark.parametrize("size", [0, 1, 249, 250, 251, 8_000])
    def test_files_of_any_size_get_across(self, direction: str, size: int) -> None:
        """Nothing is sent twice on a clean line."""
        transfer = carried(Rig(), direction, DATA[:size])
        assert transfer.stats.blocks == -(-size // BLOCK)
        assert sum(transfer.stats.as_dict().values()) == transfer.stats.blocks

    @pytest.mark.parametrize("baudrate", [9_600, 115_200, 921_600])
    def test_a_clean_line_is_filled(self, direction: str, baudrate: int) -> None:
        """To more than 98 % of what it could carry, opening and closing included."""
        data = DATA[: baudrate * 2]
        rig = Rig(Fault(baudrate=baudrate), baudrate=baudrate)
        carried(rig, direction, data)
        assert len(data) * 10 / baudrate / PAYLOAD_SHARE / rig.now > 0.98

    @pytest.mark.parametrize("baudrate", [115_200, 921_600])
    @pytest.mark.parametrize("seed", range(5))
    def test_a_lossy_line_is_used_well(self, direction: str, baudrate: int, seed: int) -> None:
        """With one frame of twenty lost each way more than 85 % of what it could carry gets across."""
        data = DATA if baudrate < 200_000 else DATA * 4
        rig = Rig(Fault(baudrate=baudrate, drop=0.05), baudrate=baudrate, seed=seed)
        transfer = carried(rig, direction, data)
        assert transfer.stats.repeated
        assert len(data) * 10 / baudrate / PAYLOAD_SHARE / rig.now > 0.85

    @pytest.mark.parametrize("name", HOSTILE)
    @pytest.mark.parametrize("seed", range(3))
    def test_no_line_is_too_bad(self, direction: str, name: str, seed: int) -> None:
        """Every byte gets across whatever happens to some."""
        carried(Rig(Fault(baudrate=115_200), HOSTILE[name], seed=seed), direction, DATA[:20_000])

    def test_unplugging_and_reboots_are_survived(self, direction: str) -> None:
        """A megabyte, byte by byte the same; what was across stays so."""
        rig = Rig(Fault(baudrate=921_600), baudrate=921_600)
        for at in (1.0, 3.0, 7.0):
            rig.at(at, rig.unplug)
        rig.at(5.0, rig.reboot)
        transfer = carried(rig, direction, random.Random(2).randbytes(1_048_576))
        assert transfer.stats.reopened == 4
        assert transfer.stats.restarted == 0
        assert transfer.stats.repeated < 100

    def test_unplugging_at_any_time_is_survived(self, direction: str) -> None:
        """While it is being opened and closed as well."""
        clean = Rig(Fault(baudrate=115_200))
        carried(clean, direction, SMALL)
        for step in range(40):
            rig = Rig(Fault(baudrate=115_200))
            rig.at(clean.now * step / 40, rig.unplug)
            carried(rig, direction, SMALL)

    def test_reboots_at_any_time_are_survived(self, direction: str) -> None:
        """Also between the last block and the reply to closing."""
        clean = Rig(Fault(baudrate=115_200))
        carried(clean, direction, SMALL)
        for step in range(40):
            rig = Rig(Fault(baudrate=115_200))
            rig.at(clean.now * step / 40, rig.reboot)
            carried(rig, direction, SMALL)

    def test_another_transfer_goes_on_where_one_stopped(self, direction: str) -> None:
        """Only what lacks is moved."""
        rig = Rig(Fault(baudrate=115_200))
        rig.device.storage.files["f"] = DATA if direction == "get" else b""
        pile = Pile()
        first: Transfer = rig.outgoing(DATA) if direction == "put" else rig.incoming(pile)
        rig.run(first, until=2.0)
        held = Held(len(DATA), zlib.crc32(DATA), len(pile.data), zlib.crc32(pile.data))
        second: Transfer = rig.outgoing(DATA) if direction == "put" else rig.incoming(pile, held=held)
        rig.run(second)
        assert second.phase is TransferPhase.DONE
        assert second.resumed_at > 15_000
        assert second.stats.blocks < 220
        assert DATA in (rig.device.storage.files["f"], bytes(pile.data))

    def test_an_absent_device_is_given_up(self, direction: str) -> None:
        """After a bounded time, with a line that says what may be wrong."""
        rig = Rig(Fault(silence=True))
        transfer: Transfer = rig.outgoing(SMALL) if direction == "put" else rig.incoming(Pile())
        assert "f: address 0x01 does not answer; is the device there" in failed(rig, transfer)
        assert SILENCE_MAX <= rig.now < SILENCE_MAX + 1

    def test_a_device_that_falls_silent_is_given_up(self, direction: str) -> None:
        """After a bounded time; what is across is not lost."""
        rig = Rig(Fault(silence=True, start=1.0), Fault(baudrate=115_200))
        rig.device.storage.files["f"] = DATA
        transfer: Transfer = rig.outgoing(DATA[1:]) if direction == "put" else rig.incoming(Pile())
        assert "has not answered for 10 s; transfer it again, and it goes on" in failed(rig, transfer)
        assert 10 < transfer.stats.silences < 30

    def test_other_frames_do_not_matter(self, direction: str) -> None:
        """Other devices' answers, other replies, and what came too late."""
        pace = Pace(DEFAULT_FORMAT, 115_200)
        transfer: Transfer = (
            Outgoing(ADDR, "f", 9, 9, lambda _at, count: bytes(count), pace=pace, now=0.0)
            if direction == "put"
            else Incoming(ADDR, "f", Pile(), pace=pace, now=0.0)
        )
        transfer.poll(0.0)
        assert not transfer.receive(Frame(ADDR, 0x81), 0.0)
        assert not transfer.receive(Frame(ADDR + 1, 0xF0, bytes(18)), 0.0)
        assert not transfer.receive(Frame(ADDR, 0xF4, bytes(20)), 0.0)
        for late in (Frame(ADDR, 0xF3, bytes(5)), Frame(ADDR, 0xF1, bytes(13)), Frame(ADDR, 0xF2, bytes(6))):
            transfer.receive(late, 0.0)
        assert transfer.phase is TransferPhase.OPENING
        assert transfer.stats.stray == 2


class Device:
    """A device that a test speaks for; plays one transfer frame by frame."""

    def __init__(self, transfer: Transfer) -> None:
        self.transfer = transfer
        self.now = 0.0

    def hears(self) -> list[Frame]:
        """Return all frames that are sent now."""
        return list(iter(lambda: self.transfer.poll(self.now), None))

    def waits(self) -> None:
        """Let the time pass to the transfer's deadline."""
        self.now = max(self.transfer.deadline, self.now)

    def refuses(self, cmd: int, code: int, text: str = "") -> None:
        """Send a refusal."""
        self.transfer.receive(Frame(ADDR, 0xFF, bytes([cmd, code]) + text.encode()), self.now)

    def opens(
        self, handle: int, size: int, crc: int, *, next: int = 0, block: int = 10, window: int = 4
    ) -> None:
        """Send the reply to file_open."""
        numbers = ((handle, 1), (block, 2), (window, 1), (size, 4), (crc, 4), (next, 4))
        data = b"".join(value.to_bytes(count, "little") for value, count in numbers)
        self.transfer.receive(Frame(ADDR, 0xF0, data), self.now)

    def has(self, handle: int, offset: int, next: int, map: int = 0) -> None:
        """Send the reply to file_write."""
        numbers = (offset, next, map)
        data = bytes([handle]) + b"".join(one.to_bytes(4, "little") for one in numbers)
        self.transfer.receive(Frame(ADDR, 0xF1, data), self.now)

    def closes(self, handle: int, crc: int) -> None:
        """Send the reply to file_close."""
        self.transfer.receive(Frame(ADDR, 0xF3, bytes([handle]) + crc.to_bytes(4, "little")), self.now)

    def gives(self, handle: int, offset: int, data: bytes) -> None:
        """Send the reply to file_read."""
        place = bytes([handle]) + offset.to_bytes(4, "little")
        self.transfer.receive(Frame(ADDR, 0xF2, place + data), self.now)


BYTES = bytes(range(100))
CRC = zlib.crc32(BYTES)


def putting(data: bytes = BYTES) -> Device:
    """Return a device to which bytes are put."""
    pace = Pace(DEFAULT_FORMAT, 115_200)
    return Device(
        Outgoing(
            ADDR,
            "f",
            len(data),
            zlib.crc32(data),
            lambda at, count: data[at : at + count],
            pace=pace,
            now=0.0,
        )
    )


def getting(pile: Pile | None = None) -> Device:
    """Return a device from which a file is got."""
    return Device(Incoming(ADDR, "f", pile or Pile(), pace=Pace(DEFAULT_FORMAT, 115_200), now=0.0))


def offsets(sent: list[Frame]) -> list[int]:
    """Return which blocks are in frames, or are asked for."""
    return [int.from_bytes(frame.data[1:5], "little") for frame in sent]


class TestOutgoing:
    """Blocks to the device."""

    def test_the_window_bounds_what_is_sent(self) -> None:
        """How many are under way, and how far beyond the first that lacks."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC)
        assert offsets(device.hears()) == [0, 10, 20, 30]
        device.has(7, 10, 0, 0b1)
        assert offsets(device.hears()) == [0]
        device.has(7, 20, 0, 0b11)
        device.has(7, 30, 0, 0b111)
        assert device.hears() == []
        device.has(7, 0, 40)
        assert offsets(device.hears()) == [40, 50, 60, 70]

    def test_no_more_is_sent_ahead_than_the_map_tells_of(self) -> None:
        """Whatever window the device offers."""
        data = bytes(1_000)
        device = putting(data)
        device.transfer.pace.measured(30.0)
        device.hears()
        device.opens(7, len(data), zlib.crc32(data), window=255)
        assert len(device.hears()) == 32

    def test_what_an_answer_proves_lost_is_sent_at_once(self) -> None:
        """And not what the device has: then only the answer was lost."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC)
        device.hears()
        device.has(7, 30, 10, 0b11)
        assert offsets(device.hears()) == [10, 40]

    def test_a_lost_tail_is_asked_about_with_one_block(self) -> None:
        """Its answer tells what of the others is to be sent again."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC)
        device.hears()
        device.waits()
        assert offsets(device.hears()) == [0]
        device.has(7, 0, 20, 0b01)
        assert offsets(device.hears()) == [20, 40, 50]
        assert device.transfer.stats.silences == 1

    def test_blocks_that_the_device_has_kept_are_not_sent(self) -> None:
        """After opening again its first answer tells of them."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC, next=20, window=2)
        assert offsets(device.hears()) == [20, 30]
        device.has(7, 20, 30, 0b0110)
        device.has(7, 30, 60, 0)
        assert offsets(device.hears()) == [60, 70]

    def test_a_handle_that_is_gone_is_opened_again(self) -> None:
        """Answers and refusals for the old one, which come before the new one's, do no harm."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC)
        device.hears()
        device.refuses(0x71, 3)
        device.refuses(0x71, 3)
        device.has(7, 0, 10)
        [again] = device.hears()
        assert again.cmd == 0x70
        device.opens(8, 100, CRC, next=40)
        assert offsets(device.hears()) == [40, 50, 60, 70]
        assert device.transfer.stats.reopened == 1

    def test_of_several_answers_to_opening_the_last_one_holds(self) -> None:
        """A device that took long was asked twice; blocks with the first handle are refused, and not minded."""
        device = putting()
        device.hears()
        device.waits()
        device.hears()
        device.opens(7, 100, CRC)
        assert len(device.hears()) == 4
        device.opens(8, 100, CRC)
        assert [frame.data[0] for frame in device.hears()] == [8, 8, 8, 8]
        for _ in range(4):
            device.refuses(0x71, 3)
        assert device.hears() == []
        device.has(8, 0, 10)
        assert device.transfer.stats.reopened == 0

    def test_a_device_that_always_forgets_is_given_up(self) -> None:
        """Blocks that it had before are no progress."""
        device = putting()
        for handle in range(MAX_REOPENINGS + 2):
            device.hears()
            device.opens(handle, 100, CRC)
            device.hears()
            device.has(handle, 0, 10)
            device.refuses(0x71, 3, "no such transfer")
        assert "refused: bad value (code 3): no such transfer, 9 times in a row" in str(device.transfer.fault)

    @pytest.mark.parametrize(("block", "window"), [(0, 4), (10, 0), (251, 4)])
    def test_blocks_that_cannot_be_are_a_fault(self, block: int, window: int) -> None:
        """Of no bytes, none under way, or more than a frame carries."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC, block=block, window=window)
        assert f"wants {window} blocks of {block} bytes, which cannot be" in str(device.transfer.fault)

    @pytest.mark.parametrize("handle", [7, 8])
    def test_a_device_that_answers_and_takes_nothing_is_given_up(self, handle: int) -> None:
        """After a bounded time, be its answers about this transfer or not."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC)
        while not device.transfer.is_over:
            for _frame in device.hears():
                device.has(handle, 0, 0)
            device.now += 0.1
        said = "answers, but for 90 s nothing has got across" if handle == 7 else "has not answered for 10 s"
        assert said in str(device.transfer.fault)

    def test_a_busy_device_is_given_time(self) -> None:
        """It is asked again, for a bounded time."""
        device = putting()
        for _ in range(3):
            assert device.hears()[0].cmd == 0x70
            device.refuses(0x70, 4)
            assert device.hears() == []
            device.waits()
        device.hears()
        device.opens(7, 100, CRC)
        while device.now < BUSY_MAX + 5 and not device.transfer.is_over:
            for _frame in device.hears():
                device.refuses(0x71, 4, "erasing")
            device.waits()
        assert str(device.transfer.fault) == "f: address 0x01 refused: busy (code 4): erasing"

    def test_a_file_that_came_out_wrong_is_sent_anew(self) -> None:
        """A few times: damage that a frame's check does not see is rare, a fault is not."""
        device = putting()
        for handle in range(MAX_RESTARTS + 1):
            device.hears()
            device.opens(handle, 100, CRC)
            device.hears()
            device.has(handle, 0, 100)
            assert device.hears()[0].cmd == 0x73
            device.refuses(0x73, 6, "CRC-32 is wrong")
        assert str(device.transfer.fault) == "f: address 0x01 refused: failed (code 6): CRC-32 is wrong"
        assert device.transfer.stats.restarted == MAX_RESTARTS

    def test_a_device_that_stored_something_else_is_a_fault(self) -> None:
        """Its word on the CRC-32 must be ours."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC, next=100)
        device.hears()
        device.closes(7, 0x1234)
        assert f"has stored another file: its CRC-32 is 00001234, not {CRC:08x}" in str(device.transfer.fault)

    @pytest.mark.parametrize(
        ("cmd", "code", "said"),
        [
            (0x70, 1, "f: address 0x01 knows no file transfers; its firmware has no storage for them"),
            (0x70, 5, "f: address 0x01 refused: not permitted (code 5): why"),
            (0x70, 77, "f: address 0x01 refused: unknown reason (code 77): why"),
            (0x71, 6, "f: address 0x01 refused: failed (code 6): why"),
            (0x73, 5, "f: address 0x01 refused: not permitted (code 5): why"),
        ],
    )
    def test_a_refusal_ends_it_in_one_line(self, cmd: int, code: int, said: str) -> None:
        """With the device's own words."""
        device = putting()
        device.hears()
        if cmd != 0x70:
            device.opens(7, 100, CRC, next=100 if cmd == 0x73 else 0)
            device.hears()
        device.refuses(cmd, code, "why")
        assert str(device.transfer.fault) == said
        assert device.hears() == []
        assert not device.transfer.receive(Frame(ADDR, 0xFF, b"\x70\x01"), 0.0)
        device.transfer.interrupt(device.now)
        assert device.transfer.phase is TransferPhase.FAILED

    def test_a_slow_verification_is_waited_for(self) -> None:
        """A large file takes a small device its time."""
        data = bytes(1_000_000)
        device = putting(data)
        device.hears()
        device.opens(7, len(data), zlib.crc32(data), next=len(data))
        while device.now < 25.0:
            device.hears()
            device.waits()
        device.closes(7, zlib.crc32(data))
        assert device.transfer.phase is TransferPhase.DONE

    def test_a_late_answer_to_opening_does_not_open_it_again(self) -> None:
        """Nor does it keep a silent device from being given up."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC, next=100)
        device.hears()
        device.opens(7, 100, CRC, next=100)
        assert device.transfer.phase is TransferPhase.CLOSING
        assert device.transfer.stats.stray == 1

    def test_a_device_that_lost_blocks_without_a_word_gets_them_again(self) -> None:
        """What it says it lacks is sent, though it had said that it has it."""
        device = putting()
        device.hears()
        device.opens(7, 100, CRC, window=2)
        device.hears()
        device.has(7, 0, 10)
        device.has(7, 10, 20)
        device.hears()
        device.has(7, 20, 0)
        device.has(7, 30, 0)
        assert offsets(device.hears())[:1] == [20]
        device.waits()
        assert offsets(device.hears()) == [0]


@given(
    answers=st.lists(
        st.tuples(
            st.sampled_from([0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xFF]),
            st.one_of(
                st.binary(max_size=24),
                st.builds(
                    lambda handle, numbers, rest: (
                        bytes([handle]) + b"".join(one.to_bytes(4, "little") for one in numbers) + rest
                    ),
                    st.integers(0, 2),
                    st.lists(st.integers(0, 110), min_size=1, max_size=3),
                    st.sampled_from([b"", bytes(10), bytes(4)]),
                ),
                st.builds(lambda cmd, code: bytes([cmd, code]), st.integers(0x70, 0x74), st.integers(0, 7)),
            ),
        ),
        max_size=60,
    ),
    opens=st.booleans(),
    outgoing=st.booleans(),
)
def test_no_answer_breaks_a_transfer(answers: list[tuple[int, bytes]], opens: bool, outgoing: bool) -> None:
    """Whatever a device says: no exception, and no more is kept or under way than the window."""
    device = putting() if outgoing else getting()
    device.hears()
    if opens:
        device.opens(1, 100, CRC)
    for cmd, data in answers:
        device.hears()
        device.transfer.receive(Frame(ADDR, cmd, data), device.now)
        if data[-1:] > b"\x40" and not device.transfer.is_over:
            device.waits()
        assert len(device.transfer._flight) <= max(device.transfer._window, 1)
        assert len(getattr(device.transfer, "_early", ())) <= device.transfer._window


class TestIncoming:
    """Blocks from the device."""

    def test_blocks_that_come_early_wait_for_those_before_them(self) -> None:
        """The sink gets all in order."""
        pile = Pile()
        device = getting(pile)
        device.hears()
        device.opens(7, 100, CRC)
        assert offsets(device.hears()) == [0, 10, 20, 30]
        device.gives(7, 10, BYTES[10:20])
        assert offsets(device.hears()) == [0]
        device.gives(7, 20, BYTES[20:30])
        assert pile.data == b""
        device.gives(7, 0, BYTES[0:10])
        assert pile.data == BYTES[:30]

    def test_what_is_no_block_of_the_file_is_left_alone(self) -> None:
        """Of another handle, of another length, never asked for."""
        pile = Pile()
        device = getting(pile)
        device.hears()
        device.opens(7, 100, CRC)
        device.hears()
        device.gives(6, 0, BYTES[0:10])
        device.gives(7, 0, BYTES[0:9])
        device.gives(7, 90, BYTES[90:])
        assert pile.data == b""
        assert device.transfer.stats.stray == 3

    def test_a_file_that_has_changed_meanwhile_is_begun_anew(self) -> None:
        """Its size and CRC-32 say so when it is opened again."""
        pile = Pile()
        device = getting(pile)
        device.hears()
        device.opens(7, 100, CRC)
        device.hears()
        device.gives(7, 0, BYTES[:10])
        device.refuses(0x72, 3)
        device.hears()
        other = BYTES[50:60]
        device.opens(8, 10, zlib.crc32(other))
        assert pile.data == b""
        device.hears()
        device.gives(8, 0, other)
        assert pile.data == other
        assert device.transfer.stats.restarted == 1
        device.hears()
        device.closes(8, zlib.crc32(other))
        assert device.transfer.phase is TransferPhase.DONE

    def test_what_is_held_of_another_file_is_thrown_away(self) -> None:
        """The device's word says which it is."""
        pile = Pile()
        pile.write(b"other")
        held = Held(100, CRC ^ 1, 5, zlib.crc32(b"other"))
        device = Device(Incoming(ADDR, "f", pile, held=held, pace=Pace(DEFAULT_FORMAT, 115_200), now=0.0))
        device.hears()
        device.opens(7, 100, CRC)
        assert not pile.data
        assert device.transfer.resumed_at == 0

    def test_a_file_that_is_wrong_is_got_anew_and_then_given_up(self) -> None:
        """A device whose CRC-32 is not its file's cannot be believed."""
        pile = Pile()
        device = getting(pile)
        for handle in range(MAX_RESTARTS + 1):
            device.hears()
            device.opens(handle, 10, 0x1234)
            device.hears()
            device.gives(handle, 0, BYTES[:10])
        assert "sent a file whose CRC-32 is 456cd746, not 00001234" in str(device.transfer.fault)
        assert pile.begun == MAX_RESTARTS + 1

    @pytest.mark.parametrize("code", [1, 3, 5])
    def test_closing_is_a_courtesy(self, code: int) -> None:
        """Whatever the device thinks of it, the file is here."""
        device = getting()
        device.hears()
        device.opens(7, 0, 0)
        device.hears()
        device.refuses(0x73, code)
        assert device.transfer.phase is TransferPhase.DONE

    def test_closing_is_not_waited_for_long(self) -> None:
        """A few times it is asked for."""
        device = getting()
        device.hears()
        device.opens(7, 0, 0)
        asked = 0
        while not device.transfer.is_over:
            asked += len(device.hears())
            device.waits()
        assert asked == CLOSE_TRIES
        assert device.transfer.phase is TransferPhase.DONE

    def test_no_more_is_kept_than_the_window(self) -> None:
        """However many blocks a device offers."""
        device = getting()
        device.hears()
        device.opens(7, 100_000, 1, window=255)
        assert device.transfer._window == 64
