"""`framelink put` and `framelink get`, against simulated devices on real ptys."""

from __future__ import annotations

import asyncio
import io
import json
import random
import re
import signal
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from framelink.cli import progress
from framelink.cli.progress import TransferProgress
from tests.cli.conftest import Run
from tests.support.bench import running_bench

DATA = random.Random(3).randbytes(20_000)
CRC = zlib.crc32(DATA)
FAST = ("--baudrate", "4000000")
"""A pty has no rate of its own: the link must not wait for one."""

NODE = """
[[port]]
name = "node"
[[port.device]]
model = "motor"
addr = 1
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[str]:
    """The URL of a simulated device, address 1, under a stable name."""
    with running_bench(NODE, tmp_path / "dev") as urls:
        yield urls["node"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to send."""
    path = tmp_path / "log.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def when_across(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """A function that has something done once when so many bytes are across."""
    tell = TransferProgress.__call__

    def arrange(count: int, what: Callable[[], object]) -> None:
        left = [what]

        def told(self: TransferProgress, done: int, total: int) -> None:
            tell(self, done, total)
            if done >= count and left:
                left.pop()()

        monkeypatch.setattr(TransferProgress, "__call__", told)

    return arrange


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


class TestBothWays:
    """put, then get."""

    def test_a_file_goes_there_and_back(
        self, run: Run, node: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One line says what it took; without --output the file is here, by its name."""
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        done = run("put", node, file, *FAST, "--name", "logs/log.bin")
        assert (done.code, done.err) == (0, "")
        assert re.fullmatch(
            rf"sent logs/log\.bin: 20,000 bytes in [\d.]+ s, [\d,.]+ kB/s, CRC-32 {CRC:08x}\n", done.out
        )
        done = run("get", node, "logs/log.bin", *FAST)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("received logs/log.bin: 20,000 bytes in ")
        assert Path("log.bin").read_bytes() == DATA

    def test_json_is_for_programs(self, run: Run, node: str, file: Path, tmp_path: Path) -> None:
        """All there is to know of a transfer."""
        sent = json.loads(run("put", node, file, "--json", *FAST).out)
        assert sent.pop("seconds") > 0
        stats = sent.pop("stats")
        assert (stats["blocks"], stats["repeated"], stats["reopened"]) == (80, 0, 0)
        about = {"name": "log.bin", "size": 20_000, "crc": CRC, "resumed_at": 0}
        assert sent == {**about, "path": str(file)}
        got = json.loads(run("get", node, "log.bin", "-o", tmp_path / "b", "--json", *FAST).out)
        assert {key: got[key] for key in about} == about
        assert (tmp_path / "b").read_bytes() == DATA

    def test_an_interrupted_put_goes_on(
        self, run: Run, node: str, file: Path, when_across: Callable[[int, Callable[[], object]], None]
    ) -> None:
        """Ctrl-C ends it with one line; the next run sends what lacks."""
        when_across(3_000, interrupt)
        done = run("put", node, file, *FAST)
        assert (done.code, done.out) == (130, "")
        assert re.search(
            r"stopped at \d{1,2},\d{3} of 20,000 bytes; run it again, and it goes on there", done.error
        )
        again = run("put", node, file, *FAST)
        assert re.search(r"; \d{1,2},\d{3} bytes were there already", again.out)
        assert f"CRC-32 {CRC:08x}" in again.out

    def test_an_interrupted_get_goes_on(
        self,
        run: Run,
        node: str,
        file: Path,
        tmp_path: Path,
        when_across: Callable[[int, Callable[[], object]], None],
    ) -> None:
        """What has come is beside the file until it is whole."""
        run("put", node, file, *FAST)
        when_across(3_000, interrupt)
        out = tmp_path / "out.bin"
        assert run("get", node, "log.bin", "-o", out, *FAST).code == 130
        assert not out.exists()
        assert 3_000 <= (tmp_path / "out.bin.part").stat().st_size < 20_000
        again = run("get", node, "log.bin", "-o", out, *FAST)
        assert "bytes were there already" in again.out
        assert out.read_bytes() == DATA
        assert not list(tmp_path.glob("out.bin.*"))

    def test_what_becomes_of_the_line_is_told(
        self,
        run: Run,
        file: Path,
        tmp_path: Path,
        when_across: Callable[[int, Callable[[], object]], None],
    ) -> None:
        """It is lost and comes back, and the transfer goes on."""
        from firmware_sim import Scenario, Simulation  # noqa: PLC0415 - as running_bench, with hands on it

        async def work() -> None:
            loop = asyncio.get_running_loop()
            async with Simulation(Scenario.parse(NODE), link=tmp_path / "dev") as simulation:

                def pull() -> None:
                    loop.call_soon_threadsafe(simulation.unplug, "node")
                    asyncio.run_coroutine_threadsafe(simulation.replug("node"), loop)

                when_across(3_000, pull)
                done = await asyncio.to_thread(run, "put", simulation.urls["node"], file, *FAST)
                assert done.code == 0
                lines = done.err.splitlines()
                assert lines[0].startswith("framelink: lost")
                assert lines[1] == "framelink: connected"
                assert simulation.devices("node")[0].storage.files["log.bin"] == DATA

        asyncio.run(work())

    def test_a_terminal_has_a_bar(
        self, run: Run, node: str, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It shows how much of the file is across."""

        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr(progress, "REFRESH_PERIOD", 0.0)
        monkeypatch.setenv("TERM", "xterm")
        terminal = Terminal()
        run("put", node, file, *FAST, stderr=terminal)
        assert "20.0/20.0 kB" in terminal.getvalue()


class TestList:
    """get without a name."""

    def test_lists_the_files(self, run: Run, node: str, file: Path) -> None:
        """One a line, with size and CRC-32."""
        run("put", node, file, *FAST)
        run("put", node, file, "--name", "a\x1b", *FAST)
        done = run("get", node, *FAST)
        assert (done.code, done.err) == (0, "")
        assert done.out == f"       20,000  {CRC:08x}  a\\x1b\n       20,000  {CRC:08x}  log.bin\n"

    def test_json_has_an_object_a_file(self, run: Run, node: str, file: Path) -> None:
        """--json prints one object a line."""
        run("put", node, file, *FAST)
        [line] = run("get", node, "--json", *FAST).out.splitlines()
        assert json.loads(line) == {"name": "log.bin", "size": 20_000, "crc": CRC}

    def test_no_files_are_a_success(self, run: Run, node: str) -> None:
        """With a hint on stderr."""
        done = run("get", node)
        assert (done.code, done.out, done.error) == (0, "", "framelink: the device has no files")


class TestFailures:
    """What goes wrong."""

    def test_a_file_that_is_not_there(self, run: Run, node: str, tmp_path: Path) -> None:
        """On either side: a failed operation, one line."""
        done = run("put", tmp_path / "no line", tmp_path / "none")
        assert (done.code, done.error) == (1, f"framelink: {tmp_path / 'none'}: No such file or directory")
        done = run("get", node, "none", "-o", tmp_path / "b")
        assert (done.code, done.out) == (1, "")
        assert done.error == "framelink: none: address 0x01 refused: bad value (code 3): no such file"
        assert not list(tmp_path.glob("b*"))

    def test_a_line_that_is_not_there(self, run: Run, file: Path, tmp_path: Path) -> None:
        """It is waited for as long as --connect-timeout says."""
        done = run("put", tmp_path / "none", file, "--connect-timeout", "0.05")
        assert done.code == 1
        assert "not connected within 0.05 s" in done.error

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("-o", "b"), "--output is for a file; give its NAME, too"),
            (("..",), "'..' cannot be a file's name here; give one with --output"),
            (("a/",), "'a/' cannot be a file's name here; give one with --output"),
            (("x" * 247,), "a file's name must have 1 to 246 bytes, not 247"),
            (("a", "--addr", "255"), "a device's address is 0 to 254, not 255"),
            (("a", "--addr", "x"), "must be 0 to 255"),
        ],
    )
    def test_values_that_cannot_be_are_wrong_usage(
        self, run: Run, node: str, arguments: tuple[str, ...], message: str
    ) -> None:
        """One line that says what can be."""
        done = run("get", node, *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.error
