"""`framelink encode` and `framelink decode`."""

from __future__ import annotations

import errno
import io
import json
import os
import select
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from framelink import wire
from framelink.cli import codec, output, progress
from framelink.wire import Frame, FrameFormat
from tests.cli.conftest import Run
from tests.support.program import PATIENCE, PROGRAM, run_process

GOLDEN = bytes.fromhex("55aa011003010203d0ec0d0a")
GOLDEN_ARGUMENTS = ("--addr", "1", "--cmd", "0x10", "--data", "010203")

FORMAT_TOML = """\
header = "7E"
tail = ""
check = "xor8"
length_size = 2
"""
FORMAT = FrameFormat(header=b"\x7e", tail=b"", check="xor8", length_size=2)


@pytest.fixture
def format_file(tmp_path: Path) -> Path:
    """A file that describes another variant of the frame."""
    path = tmp_path / "variant.toml"
    path.write_text(FORMAT_TOML)
    return path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture with noise, two frames and a frame that was cut."""
    path = tmp_path / "capture.bin"
    path.write_bytes(b"\x00\x01" + GOLDEN + wire.encode(Frame(2, 0x20)) + GOLDEN[:7])
    return path


class TestEncode:
    """`framelink encode`."""

    def test_prints_hex(self, run: Run) -> None:
        """The golden frame comes out as the specification has it."""
        done = run("encode", *GOLDEN_ARGUMENTS)
        assert (done.code, done.out, done.err) == (0, "55aa011003010203d0ec0d0a\n", "")

    @pytest.mark.parametrize("text", ["0x010203", "01 02 03", "01 0203"])
    def test_reads_hex_as_people_write_it(self, run: Run, text: str) -> None:
        """Spaces and a leading 0x are no obstacle."""
        assert run("encode", "--addr", "0x01", "--cmd", "16", "--data", text).out == f"{GOLDEN.hex()}\n"

    def test_data_may_be_absent(self, run: Run) -> None:
        """No --data is an empty payload."""
        done = run("encode", "--addr", "254", "--cmd", "0")
        assert bytes.fromhex(done.out) == wire.encode(Frame(254, 0))

    def test_raw_writes_the_bytes_themselves(self) -> None:
        """--raw gives what goes onto the wire, and nothing else."""
        done = subprocess.run(
            [PROGRAM, "encode", *GOLDEN_ARGUMENTS, "--raw"], capture_output=True, timeout=PATIENCE, check=True
        )
        assert done.stdout == GOLDEN

    def test_format_gives_the_devices_variant(self, run: Run, format_file: Path) -> None:
        """--format encodes as the file describes it."""
        done = run("encode", *GOLDEN_ARGUMENTS, "--format", format_file)
        assert bytes.fromhex(done.out) == wire.encode(Frame(1, 0x10, b"\1\2\3"), FORMAT)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--addr", "256", "--cmd", "1"), "'--addr': must be 0 to 255"),
            (("--addr", "-1", "--cmd", "1"), "'--addr': must be 0 to 255"),
            (("--addr", "1", "--cmd", "x"), "'--cmd': must be 0 to 255"),
            (("--addr", "1", "--cmd", "1", "--data", "123"), "'--data': must be pairs of hex digits"),
            (("--addr", "1", "--cmd", "1", "--data", "00" * 256), "at most 255 bytes, not 256"),
            (("--cmd", "1"), "'--addr'"),
            (("--addr", "1", "--cmd", "1", "--frob"), "--frob"),
        ],
    )
    def test_wrong_values_are_wrong_usage(self, run: Run, arguments: tuple[str, ...], message: str) -> None:
        """A wrong value gets one line that says what is allowed and where to read on, and exit code 2."""
        done = run("encode", *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.error
        assert "framelink encode --help" in done.error


class TestDecode:
    """`framelink decode`."""

    def test_prints_a_line_a_frame(self, run: Run, capture: Path) -> None:
        """Offset, address, command, size and data for people, the ledger on stderr."""
        done = run("decode", capture)
        assert done.code == 0
        assert [line.split() for line in done.out.splitlines()] == [
            ["2", "addr", "0x01", "cmd", "0x10", "3", "bytes", "01", "02", "03"],
            ["14", "addr", "0x02", "cmd", "0x20", "0", "bytes"],
        ]
        assert done.error == "30 bytes: 21 in 2 frames, 9 in none (noise 8, timeout 1)"

    def test_json_is_as_documented(self, run: Run, capture: Path) -> None:
        """--json prints one compact object a frame, and the ledger as one on stderr."""
        done = run("decode", "--json", capture)
        assert done.out.splitlines() == [
            '{"offset":2,"addr":1,"cmd":16,"data":"010203"}',
            '{"offset":14,"addr":2,"cmd":32,"data":""}',
        ]
        assert done.error == (
            '{"received":30,"delivered":21,'
            '"noise":{"noise":8,"length":0,"tail":0,"check":0,"timeout":1},"pending":0,"frames":2}'
        )

    def test_the_end_of_input_is_an_idle_gap(self, run: Run) -> None:
        """A whole frame inside a candidate that the end cut short is delivered, with its own offset."""
        done = run("decode", "-", "--json", stdin=b"\x55\xaa\x01\x02\xf0" + GOLDEN)
        assert json.loads(done.out) == {"offset": 5, "addr": 1, "cmd": 16, "data": "010203"}
        assert json.loads(done.error)["noise"]["timeout"] == 1

    def test_one_frame_is_one_frame(self, run: Run) -> None:
        """The ledger's grammar holds, and there is no noise to explain."""
        assert run("decode", "-", stdin=GOLDEN).error == "12 bytes: 12 in 1 frame, 0 in none"

    def test_empty_input_is_fine(self, run: Run) -> None:
        """Nothing in, nothing out, all accounted for."""
        done = run("decode", "-")
        assert (done.code, done.out, done.error) == (0, "", "0 bytes: 0 in 0 frames, 0 in none")

    def test_format_reads_the_devices_variant(self, run: Run, format_file: Path) -> None:
        """--format decodes what the file describes."""
        bytes_in = wire.encode(Frame(9, 8, b"7"), FORMAT)
        done = run("decode", "-", "--json", "--format", format_file, stdin=bytes_in)
        assert json.loads(done.out)["data"] == "37"

    def test_chunks_make_no_difference(
        self, run: Run, capture: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Read in chunks of any size, the output is the same."""
        whole = run("decode", "--json", capture)
        for size in (1, 5, 13):
            monkeypatch.setattr(codec, "CHUNK", size)
            assert run("decode", "--json", capture) == whole

    def test_memory_stays_flat(self, run: Run, tmp_path: Path) -> None:
        """However long a capture is, what is held of it is not."""
        path = tmp_path / "capture.bin"
        path.write_bytes(bytes(40 * codec.CHUNK))
        run("decode", path)
        tracemalloc.start()
        try:
            assert run("decode", path).code == 0
            assert tracemalloc.get_traced_memory()[1] < 8 * codec.CHUNK
        finally:
            tracemalloc.stop()

    def test_lines_of_a_live_pipe_come_at_once(self) -> None:
        """A frame on standard input is printed while the pipe stays open."""
        with subprocess.Popen(
            [PROGRAM, "decode", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(GOLDEN)
            process.stdin.flush()
            assert select.select([process.stdout], [], [], PATIENCE)[0]
            assert b"01 02 03" in process.stdout.readline()
            process.communicate(timeout=PATIENCE)

    def test_a_reader_that_has_enough_is_no_error(self, tmp_path: Path) -> None:
        """`| head -1` gets its line, and nobody gets a traceback."""
        path = tmp_path / "long.bin"
        path.write_bytes(GOLDEN * 50_000)
        done = subprocess.run(
            ["bash", "-c", f'"{PROGRAM}" decode "{path}" | head -1; exit "${{PIPESTATUS[0]}}"'],
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (0, 1, b"")

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda _path: None, "No such file or directory"),
            (lambda path: path.mkdir(), "Is a directory"),
        ],
    )
    def test_an_unreadable_file_is_a_failed_operation(
        self, run: Run, tmp_path: Path, make: Any, message: str
    ) -> None:
        """A file that cannot be read gets one line with its name and the reason, and exit code 1."""
        path = tmp_path / "thing"
        make(path)
        done = run("decode", path)
        assert (done.code, done.out) == (1, "")
        assert done.error == f"framelink: {path}: {message}"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"header = [", "not a TOML file"),
            (b"\xff\xfe", "not a TOML file"),
            (b'header = "zz"', 'header must be hex text such as "55 AA"'),
            (b"colour = 1", "key must be one of header"),
            pytest.param(b"header = " + b"[" * 100_000, "not a TOML file: nested too deeply", id="deep"),
            pytest.param(b"header" + b".a" * 2_000 + b" = 1", "nested too deeply", id="dotted"),
            pytest.param(b"header = " + b"1" * 5_000, "not a TOML file: ", id="long"),
        ],
    )
    def test_an_unusable_format_file_is_named(
        self, run: Run, tmp_path: Path, text: bytes, message: str
    ) -> None:
        """A format file that describes no frame gets one line with the file, the key and what is allowed."""
        path = tmp_path / "bad.toml"
        path.write_bytes(text)
        done = run("decode", "-", "--format", path)
        assert (done.code, done.out) == (1, "")
        assert done.error.startswith(f"framelink: {path}: ")
        assert message in done.error


class _Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class TestProgress:
    """The bar that `decode` shows."""

    @pytest.fixture
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> _Terminal:
        """A terminal, and a bar that is drawn at every step."""
        monkeypatch.setattr(progress, "REFRESH_PERIOD", 0.0)
        monkeypatch.setenv("TERM", "xterm")
        return _Terminal()

    def test_a_file_on_a_terminal_has_a_bar(
        self, run: Run, tmp_path: Path, terminal: _Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The bar shows how much of the file is done, and makes room for the lines if they go there too."""
        path = tmp_path / "capture.bin"
        path.write_bytes(GOLDEN * 20_000)
        erased = []
        for shares_screen in (False, True):
            monkeypatch.setattr("sys.stdout.isatty", lambda shares_screen=shares_screen: shares_screen)
            assert run("decode", path, stderr=terminal).out.count("\n") == 20_000
            shown = terminal.getvalue()
            assert "240.0/240.0 kB" in shown
            erased.append(shown.count(progress._ERASE_LINE))
            terminal.seek(0)
            terminal.truncate()
        chunks = -(-path.stat().st_size // codec.CHUNK)
        assert erased[1] == erased[0] + chunks

    def test_the_cursor_is_there_all_the_time(self, run: Run, capture: Path, terminal: _Terminal) -> None:
        """So it is not lost when a signal ends the program under way."""
        run("decode", capture, stderr=terminal)
        before_it_is_done = terminal.getvalue().partition("30/30 bytes")[0]
        assert before_it_is_done.count("\x1b[?25l") == before_it_is_done.count("\x1b[?25h") == 1

    def test_standard_input_has_none(self, run: Run, terminal: _Terminal) -> None:
        """What has no size has no progress."""
        run("decode", "-", stdin=GOLDEN, stderr=terminal)
        assert terminal.getvalue() == "12 bytes: 12 in 1 frame, 0 in none\n"

    def test_a_device_has_none(self, run: Run, terminal: _Terminal) -> None:
        """A file that is none of the regular ones has no size to show."""
        run("decode", os.devnull, stderr=terminal)
        assert "kB" not in terminal.getvalue()

    def test_without_a_terminal_there_is_none(self, capture: Path) -> None:
        """A log file gets the ledger alone."""
        assert len(run_process("decode", str(capture)).err.splitlines()) == 1


def test_a_full_disk_is_one_line(run: Run, capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When stdout cannot take the results, the system's reason is the error."""

    def full(_text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(output, "write", full)
    done = run("decode", capture)
    assert (done.code, done.error) == (1, "framelink: No space left on device")
