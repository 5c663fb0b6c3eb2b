"""Files over real links, of either face, to simulated devices."""

from __future__ import annotations

import asyncio
import io
import json
import random
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import framelink
from firmware_sim import DeviceEntry, Fault, MemoryPort, PortEntry, Scenario, Simulation
from firmware_sim.models import Refusal
from firmware_sim.storage import Storage
from framelink.device import request, transfers
from framelink.device.transfer_files import SUM_CHUNK
from framelink.device.transfers import FileInfo, Transferred, files, get, put
from framelink.errors import FormatError, LinkClosed, LinkTimeout, TransferError
from framelink.link import AsyncLink, HalfDuplex, Link, LinkState
from framelink.message import RefusalCode
from framelink.wire import Frame
from tests.support.bench import MOTOR, running_bench
from tests.support.pty_device import DEADLINE

DATA = random.Random(7).randbytes(20_000)
MEGABYTE = random.Random(8).randbytes(1_048_576)
FAST = 4_000_000
"""Baud rate of lines in memory, which have none of their own: the link must not wait for it."""


class Bench:
    """A simulated device on a line in memory, and a link to it."""

    def __init__(self, simulation: Simulation, link: AsyncLink) -> None:
        self.simulation = simulation
        self.link = link
        self.lost = asyncio.Event()
        link.watch(lambda change: self.lost.set() if change.state is LinkState.LOST else None)

    @property
    def storage(self) -> Storage:
        """The device's files."""
        return self.simulation.devices("node")[0].storage

    async def unplug(self) -> None:
        """Pull the cable, wait until the link has noticed, and plug it in again."""
        self.lost.clear()
        self.simulation.unplug("node")
        await asyncio.wait_for(self.lost.wait(), DEADLINE)
        await self.simulation.replug("node")

    def reboot(self) -> None:
        """Restart the device."""
        self.simulation.reboot("node")


@asynccontextmanager
async def bench(*faults: Fault, **how: Any) -> AsyncIterator[Bench]:
    """Run a weather node, address 1, and connect to it."""
    device = DeviceEntry(model="weather", addr=1)
    entry = PortEntry(name="node", kind="memory", device=[device], fault=list(faults))
    async with Simulation(Scenario(seed=5, port=[entry])) as simulation:
        port = simulation.port("node")
        assert isinstance(port, MemoryPort)
        async with AsyncLink(port.opener, **{"baudrate": FAST, **how}) as link:
            yield Bench(simulation, link)


class Marks:
    """A progress callback that does something when so many bytes are across."""

    def __init__(self, *marks: tuple[int, Callable[[], object]]) -> None:
        self.told: list[tuple[int, int]] = []
        self._marks = list(marks)

    def __call__(self, done: int, total: int) -> None:
        """Take the news."""
        self.told.append((done, total))
        while self._marks and done >= self._marks[0][0]:
            self._marks.pop(0)[1]()


class TestAsyncio:
    """On an `AsyncLink`."""

    async def test_a_file_goes_there_and_back(self) -> None:
        """The result says what it took; the device lists it."""
        async with bench() as line:
            done = await put(line.link, 1, "a.bin", DATA)
            assert (done.name, done.size, done.crc, done.resumed_at) == (
                "a.bin",
                len(DATA),
                zlib.crc32(DATA),
                0,
            )
            assert done.data is None
            assert done.seconds > 0
            assert done.stats.as_dict()["blocks"] == len(DATA) / 250
            assert line.storage.files == {"a.bin": DATA}
            assert (await get(line.link, 1, "a.bin")).data == DATA
            assert await files(line.link, 1) == [FileInfo("a.bin", len(DATA), zlib.crc32(DATA))]

    async def test_a_megabyte_survives_three_unplugs_and_a_reboot_each_way(self) -> None:
        """Byte by byte the same, and little is sent twice."""
        async with bench() as line:
            loop = asyncio.get_running_loop()
            pulls: list[asyncio.Task[None]] = []

            def pull() -> None:
                pulls.append(loop.create_task(line.unplug()))

            def marks() -> Marks:
                return Marks((100_000, pull), (300_000, pull), (500_000, line.reboot), (900_000, pull))

            done = await put(line.link, 1, "big", MEGABYTE, progress=marks())
            assert line.storage.files["big"] == MEGABYTE
            assert done.stats.reopened >= 4
            assert done.stats.repeated < 200
            done = await get(line.link, 1, "big", progress=marks())
            assert done.data == MEGABYTE
            assert done.stats.reopened >= 4
            await asyncio.gather(*pulls)
            assert len(pulls) == 6

    async def test_a_bad_line_costs_time_only(self) -> None:
        """Lost and damaged frames are sent again."""
        async with bench(Fault(drop=0.1), Fault(bursts=0.05)) as line:
            done = await put(line.link, 1, "a", DATA)
            assert done.stats.repeated > 5
            assert (await get(line.link, 1, "a")).data == DATA

    async def test_progress_is_told_from_begin_to_end(self) -> None:
        """How much of how much, never less than before."""
        async with bench() as line:
            marks = Marks()
            await put(line.link, 1, "a", DATA, progress=marks)
            assert marks.told[0] == (0, len(DATA))
            assert marks.told[-1] == (len(DATA), len(DATA))
            assert marks.told == sorted(set(marks.told))

    async def test_requests_are_answered_meanwhile(self) -> None:
        """A file on its way keeps nobody from the device."""
        async with bench(Fault(baudrate=115_200), baudrate=115_200) as line:
            sending = asyncio.create_task(put(line.link, 1, "a", DATA))
            for number in range(10):
                ping = Frame(1, 0x01, bytes([number]))
                assert (await request(line.link, ping, timeout=DEADLINE)).data == bytes([number])
            assert not sending.done()
            await sending
            assert line.storage.files["a"] == DATA

    async def test_transfers_with_one_device_take_turns(self) -> None:
        """It has one file open at a time."""
        async with bench() as line:
            await asyncio.gather(*(put(line.link, 1, name, DATA) for name in "abc"))
            assert line.storage.files == dict.fromkeys("abc", DATA)

    async def test_a_half_duplex_line_carries_one_block_at_a_time(self) -> None:
        """And requests in between."""
        async with bench(half_duplex=HalfDuplex()) as line:
            sending = asyncio.create_task(put(line.link, 1, "a", DATA[:3_000]))
            await request(line.link, Frame(1, 0x01), timeout=DEADLINE)
            assert (await sending).stats.repeated == 0
            assert line.storage.files["a"] == DATA[:3_000]

    async def test_a_cancelled_transfer_goes_on_later(self) -> None:
        """What is across stays on the device."""
        async with bench() as line:

            def stop() -> None:
                sending.cancel()

            sending = asyncio.create_task(put(line.link, 1, "a", DATA, progress=Marks((10_000, stop))))
            with pytest.raises(asyncio.CancelledError):
                await sending
            done = await put(line.link, 1, "a", DATA)
            assert done.resumed_at >= 10_000
            assert line.storage.files["a"] == DATA

    async def test_closing_the_link_ends_a_transfer(self) -> None:
        """At once."""
        async with bench(Fault(silence=True)) as line:
            sending = asyncio.create_task(put(line.link, 1, "a", DATA))
            while not line.link.stats.frames_sent:
                await asyncio.sleep(0)
            await line.link.close()
            with pytest.raises(LinkClosed, match="a: the link was closed before it was across"):
                await sending

    async def test_a_line_that_does_not_come_back_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a bounded time."""
        monkeypatch.setattr(transfers, "ABSENCE_MAX", 0.05)
        async with bench() as line:
            pull = Marks((1_000, lambda: line.simulation.unplug("node")))
            with pytest.raises(
                TransferError, match=r"^a: not connected within 0\.05 s: .* it goes on from here$"
            ):
                await put(line.link, 1, "a", DATA, progress=pull)

    async def test_a_refusal_is_one_line(self) -> None:
        """With the device's words."""
        async with bench() as line:
            with pytest.raises(
                TransferError, match=r"^x: address 0x01 refused: bad value \(code 3\): no such file$"
            ):
                await get(line.link, 1, "x")
            line.storage.is_write_protected = True
            with pytest.raises(TransferError, match="the storage is write-protected"):
                await put(line.link, 1, "x", b"")

    async def test_a_list_that_cannot_be_had_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Refused, or not answered."""
        async with bench() as line:

            def broken(_fields: object) -> dict[str, Any]:
                raise Refusal(RefusalCode.FAILED, "no chip")

            line.storage.commands["file_list"] = broken
            with pytest.raises(TransferError, match=r"refused command 0x74: failed .* no chip"):
                await files(line.link, 1)
            monkeypatch.setattr(transfers, "DEFAULT_TIMEOUT", 0.01)
            with pytest.raises(TransferError, match="no reply from address 0x09 to command 0x74"):
                await files(line.link, 9)

    async def test_a_line_that_takes_nothing_counts_as_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The file is opened again when it does."""
        async with bench() as line:
            send, failures = line.link.send, [LinkTimeout("not sent within 5 s")]

            async def refuse_once(*given: Any, **how: Any) -> None:
                if failures and line.storage.blocks_written:
                    raise failures.pop()
                await send(*given, **how)

            monkeypatch.setattr(line.link, "send", refuse_once)
            done = await put(line.link, 1, "a", DATA)
            assert done.stats.reopened == 1
            assert line.storage.files["a"] == DATA

    @pytest.mark.parametrize("addr", [-1, 255, 256])
    async def test_what_cannot_be_is_refused_at_once(self, addr: int) -> None:
        """Addresses, names, sources."""
        async with bench() as line:
            with pytest.raises(FormatError, match="address is 0 to 254"):
                await put(line.link, addr, "a", b"")
            for name in ("", "x" * 247):
                with pytest.raises(FormatError, match="name must have 1 to 246 bytes"):
                    await get(line.link, 1, name)
            assert not line.link.stats.frames_sent


class TestUnknown:
    """A device that knows nothing of files."""

    @pytest.mark.parametrize("how", ["put", "get", "files"])
    async def test_it_is_told_in_one_line(self, how: str) -> None:
        """Whatever is asked of it."""
        async with bench() as line:
            storage = line.storage
            vars(line.simulation.devices("node")[0])["storage"] = storage
            storage.commands.clear()
            ways: dict[str, Callable[[], Any]] = {
                "put": lambda: put(line.link, 1, "a", b""),
                "get": lambda: get(line.link, 1, "a"),
                "files": lambda: files(line.link, 1),
            }
            with pytest.raises(
                TransferError, match="address 0x01 knows no file transfers; its firmware has no"
            ):
                await ways[how]()


class TestSources:
    """What can be put."""

    async def test_bytes_paths_and_files(self, tmp_path: Path) -> None:
        """A file is read from its beginning and stays open."""
        path = tmp_path / "a"
        path.write_bytes(DATA)
        async with bench() as line:
            await put(line.link, 1, "path", path)
            await put(line.link, 1, "text", str(path))
            await put(line.link, 1, "view", memoryview(DATA))
            with path.open("rb") as file:
                file.seek(5)
                await put(line.link, 1, "file", file)
                assert not file.closed
            assert line.storage.files == dict.fromkeys(("path", "text", "view", "file"), DATA)

    async def test_a_large_source_lets_others_in(self) -> None:
        """Its checksum is made piece by piece."""
        async with bench() as line:
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            counting = asyncio.create_task(count())
            line.storage.capacity = 0
            with pytest.raises(TransferError, match="no room: 0 bytes are free"):
                await put(line.link, 1, "a", bytes(SUM_CHUNK * 5))
            assert turns >= 5
            counting.cancel()

    async def test_what_cannot_be_read_is_an_error(self, tmp_path: Path) -> None:
        """A path that is not there, a stream that cannot go back."""

        class Stream(io.BytesIO):
            def seekable(self) -> bool:
                return False

        async with bench() as line:
            with pytest.raises(FileNotFoundError):
                await put(line.link, 1, "a", tmp_path / "none")
            with pytest.raises(FormatError, match="must be able to seek"):
                await put(line.link, 1, "a", Stream(b"x"))

    async def test_a_file_that_is_too_large_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A transfer's numbers have four bytes."""
        monkeypatch.setattr("framelink.device.transfer_files.SIZE_MAX", 99)
        async with bench() as line:
            with pytest.raises(FormatError, match="must have at most 99 bytes, not 100"):
                await put(line.link, 1, "a", bytes(100))


class TestTargets:
    """Where a file can go."""

    async def test_a_path_is_written_when_the_file_is_whole(self, tmp_path: Path) -> None:
        """Nothing else is left."""
        async with bench() as line:
            line.storage.files["a"] = DATA
            done = await get(line.link, 1, "a", tmp_path / "b")
            assert done.data is None
            assert (tmp_path / "b").read_bytes() == DATA
            assert [one.name for one in tmp_path.iterdir()] == ["b"]

    async def test_an_interrupted_get_goes_on_behind_its_part(self, tmp_path: Path) -> None:
        """An older file of that name stays until then."""
        path = tmp_path / "b"
        path.write_bytes(b"old")
        async with bench() as line:
            line.storage.files["a"] = DATA

            def stop() -> None:
                fetching.cancel()

            fetching = asyncio.create_task(get(line.link, 1, "a", path, progress=Marks((10_000, stop))))
            with pytest.raises(asyncio.CancelledError):
                await fetching
            assert path.read_bytes() == b"old"
            assert json.loads((tmp_path / "b.part.json").read_bytes())["name"] == "a"
            done = await get(line.link, 1, "a", path)
            assert done.resumed_at >= 10_000
            assert path.read_bytes() == DATA
            assert [one.name for one in tmp_path.iterdir()] == ["b"]

    @pytest.mark.parametrize(
        "change", ["another file", "another content", "no identity", "a damaged identity"]
    )
    async def test_a_part_of_another_file_is_not_used(self, tmp_path: Path, change: str) -> None:
        """Name, size and CRC-32 say whose part it is."""
        path, part, identity = tmp_path / "b", tmp_path / "b.part", tmp_path / "b.part.json"
        part.write_bytes(DATA[:5_000])
        identity.write_text(json.dumps({"name": "a", "size": len(DATA), "crc": zlib.crc32(DATA)}))
        async with bench() as line:
            line.storage.files.update(a=DATA, c=DATA[::-1])
            wanted = DATA
            if change == "another file":
                wanted = DATA[::-1]
            elif change == "another content":
                line.storage.files["a"] = wanted = bytes(9)
            elif change == "no identity":
                identity.unlink()
            else:
                identity.write_text("{")
            done = await get(line.link, 1, "c" if change == "another file" else "a", path)
            assert done.resumed_at == 0
            assert path.read_bytes() == wanted

    async def test_a_damaged_part_is_found_out(self, tmp_path: Path) -> None:
        """The whole file's CRC-32 is wrong, so it is fetched anew."""
        path = tmp_path / "b"
        (tmp_path / "b.part").write_bytes(bytes(5_000))
        identity = {"name": "a", "size": len(DATA), "crc": zlib.crc32(DATA)}
        (tmp_path / "b.part.json").write_text(json.dumps(identity))
        async with bench() as line:
            line.storage.files["a"] = DATA
            done = await get(line.link, 1, "a", path)
            assert (done.resumed_at, done.stats.restarted) == (5_000, 1)
            assert path.read_bytes() == DATA

    async def test_an_open_file_is_written_in_order(self) -> None:
        """From where it stands; it stays open."""
        async with bench(Fault(drop=0.1)) as line:
            line.storage.files["a"] = DATA
            file = io.BytesIO()
            file.write(b"head")
            assert (await get(line.link, 1, "a", file)).data is None
            assert file.getvalue() == b"head" + DATA

    async def test_a_file_that_changes_meanwhile_comes_whole(self) -> None:
        """An open file is written anew from where it stood."""
        other = DATA[::-1]
        async with bench() as line:
            line.storage.files["a"] = DATA

            def change() -> None:
                line.storage.files["a"] = other
                line.reboot()

            file = io.BytesIO()
            file.write(b"head")
            done = await get(line.link, 1, "a", file, progress=Marks((5_000, change)))
            assert file.getvalue() == b"head" + other
            assert done.stats.restarted == 1

    async def test_a_target_that_cannot_be_written_ends_it(self, tmp_path: Path) -> None:
        """With the system's word for it."""

        class Full(io.BytesIO):
            def write(self, _data: Any) -> int:
                raise OSError(28, "No space left on device")

        async with bench() as line:
            line.storage.files["a"] = DATA
            with pytest.raises(OSError, match="No space left"):
                await get(line.link, 1, "a", Full())
            with pytest.raises(FormatError, match="is a directory"):
                await get(line.link, 1, "a", tmp_path)


class TestBlocking:
    """On a `Link`."""

    def test_the_same_functions_give_the_result_itself(self, tmp_path: Path) -> None:
        """Without await."""
        with running_bench(MOTOR) as urls, framelink.open(urls["motor"]) as link:
            assert isinstance(link, Link)
            done = put(link, 2, "a.bin", DATA[:1_000])
            assert isinstance(done, Transferred)
            assert get(link, 2, "a.bin").data == DATA[:1_000]
            get(link, 2, "a.bin", tmp_path / "a")
            assert (tmp_path / "a").read_bytes() == DATA[:1_000]
            assert files(link, 2) == [FileInfo("a.bin", 1_000, zlib.crc32(DATA[:1_000]))]

    def test_a_device_object_has_them_too(self) -> None:
        """As methods."""
        with running_bench(MOTOR) as urls, framelink.open(urls["motor"]) as link:
            device = link.device(2)
            device.put("a", b"hello")
            assert device.get("a").data == b"hello"
            assert [one.name for one in device.files()] == ["a"]

    def test_an_absent_device_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One line says so."""
        monkeypatch.setattr("framelink.device.transfer.SILENCE_MAX", 0.1)
        said = pytest.raises(TransferError, match=r"^a: address 0x09 does not answer; is the device")
        with running_bench(MOTOR) as urls, framelink.open(urls["motor"], baudrate=FAST) as link, said:
            put(link, 9, "a", b"x")
