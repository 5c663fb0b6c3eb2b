"""`framelink detect` and `framelink doctor`, on captures, simulated devices and nothing."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from framelink.cli import diagnose, options
from framelink.diagnosis import examination, pinging
from framelink.diagnosis.listening import BAUDRATES
from framelink.wire import Frame, FrameFormat, encode
from tests.cli.conftest import Run
from tests.support.bench import MOTOR, WEATHER, running_bench

FORMAT = FrameFormat(header=b"\xa5", tail=b"", fields=("len", "cmd", "addr"), check="x-25")


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture of a variant of the frame."""
    rng = random.Random(1)
    frames = [
        Frame(rng.choice([1, 2]), rng.choice([1, 2, 0x81, 0x82]), rng.randbytes(rng.randrange(20)))
        for _ in range(40)
    ]
    path = tmp_path / "capture.bin"
    path.write_bytes(b"".join(encode(one, FORMAT) for one in frames))
    return path


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A capture without frames."""
    path = tmp_path / "noise.bin"
    path.write_bytes(random.Random(2).randbytes(3_000))
    return path


@pytest.fixture
def motor(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A simulated device, which is examined for tenths of seconds."""
    monkeypatch.setattr(examination, "BOOT_SECONDS", 0.3)
    monkeypatch.setattr(pinging, "LOAD_SECONDS", 0.2)
    monkeypatch.setattr(pinging, "PINGS", 5)
    with running_bench(MOTOR) as urls:
        yield urls["motor"]


def test_detect_prints_a_format_file(run: Run, capture: Path) -> None:
    """TOML that --format reads, with how sure it is as comments."""
    outcome = run("detect", str(capture))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("# Certain: 40 frames are 100% of ")
    assert FrameFormat.from_mapping(tomllib.loads(outcome.out)) == FORMAT


def test_detect_writes_a_format_file_that_decode_takes(run: Run, capture: Path, tmp_path: Path) -> None:
    """The way from a capture to its frames."""
    file = tmp_path / "device.toml"
    assert run("detect", str(capture), "-o", str(file)).code == 0
    decoded = run("decode", str(capture), "--format", str(file))
    assert len(decoded.out.splitlines()) == 40


def test_detect_reads_standard_input_and_prints_json(run: Run, capture: Path) -> None:
    """For programs."""
    outcome = run("detect", "-", "--json", stdin=capture.read_bytes())
    told = json.loads(outcome.out)
    assert (told["found"], told["certain"], told["frames"], told["baudrate"]) == (True, True, 40, None)
    assert FrameFormat.from_mapping(told["format"]) == FORMAT


def test_detect_refuses_noise_in_one_line(run: Run, noise: Path) -> None:
    """A failed operation; JSON says so too."""
    outcome = run("detect", str(noise))
    assert (outcome.code, outcome.out) == (1, "")
    assert "no frame format explains these 3,000 bytes" in outcome.error
    told = json.loads(run("detect", str(noise), "--json").out)
    assert told["found"] is False
    assert told["reason"]


def test_detect_listens_on_a_line(run: Run) -> None:
    """A device that reports by itself; what was heard at each rate goes to stderr."""
    with running_bench(WEATHER) as urls:
        outcome = run("detect", urls["weather"], "--seconds", "1", "--baudrates", "57600, 9600")
    assert outcome.code == 0
    assert "# Baud rate: 57600." in outcome.out
    assert outcome.error.startswith("framelink: 57600 baud: ")
    assert FrameFormat.from_mapping(tomllib.loads(outcome.out)).header == b"\x55\xaa"


def test_detect_says_that_a_line_is_silent(run: Run, motor: str) -> None:
    """A device that speaks only when asked."""
    outcome = run("detect", motor, "--seconds", "0.1", "--baudrates", "9600")
    assert outcome.code == 1
    assert "nothing was heard in 0.1 s at 9600 baud" in outcome.err.splitlines()[-1]


@pytest.mark.parametrize("source", ["/nonexistent/port", "socket://nowhere", "."])
def test_detect_says_what_cannot_be_read(run: Run, source: str) -> None:
    """One line, no traceback."""
    outcome = run("detect", source)
    assert outcome.code == 1
    assert outcome.error


@pytest.mark.parametrize("rates", ["fast", "9600,", "0", "9" * 11, "9600,-1"])
def test_detect_takes_no_other_baud_rates(run: Run, rates: str) -> None:
    """Wrong usage, before anything is opened."""
    outcome = run("detect", "/dev/null", "--baudrates", rates)
    assert outcome.code == 2
    assert "baud rates such as 9600,115200" in outcome.error


def test_detect_finds_out_what_is_a_line(tmp_path: Path) -> None:
    """Files are read, all else is opened as a line."""
    file = tmp_path / "capture.bin"
    file.touch()
    assert not diagnose.is_line(str(file))
    assert not diagnose.is_line("-")
    assert all(map(diagnose.is_line, ["/dev/ttyUSB9", "COM3", "socket://host:1", "usb:0403:6001"]))


def test_the_common_rates_are_rates() -> None:
    """The default first."""
    assert BAUDRATES[0] == options.DEFAULT_BAUDRATE
    assert len(set(BAUDRATES)) == 12


def test_doctor_of_a_well_line_ends_with_success(run: Run, motor: str) -> None:
    """Remarks alone; the steps go to stderr."""
    outcome = run("doctor", motor)
    assert outcome.code == 0
    assert all(line.startswith("remark ") for line in outcome.out.splitlines())
    assert "throughput" in outcome.out
    assert "address 2 answers" in outcome.err


def test_doctor_tells_programs(run: Run, motor: str) -> None:
    """One finding a line."""
    findings = [json.loads(line) for line in run("doctor", motor, "--addr", "2", "--json").out.splitlines()]
    assert {"severity", "topic", "seen", "fix"} == set(findings[0])
    assert {"throughput", "round trips", "kind"} <= {one["topic"] for one in findings}


def test_doctor_of_a_silent_address_names_the_other(run: Run, motor: str) -> None:
    """A fault, with its fix below, and exit code 1."""
    outcome = run("doctor", motor, "--addr", "7")
    assert outcome.code == 1
    first, second = outcome.out.splitlines()[:2]
    assert first == "fault    silent: address 7 did not answer; heard: 2"
    assert second.startswith("         fix: use --addr 2")


def test_doctor_of_a_missing_port_has_a_finding(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that cannot be opened is what a doctor is for."""
    monkeypatch.setattr(examination, "OPEN_TIMEOUT", 0.1)
    outcome = run("doctor", "/dev/nonexistent")
    assert outcome.code == 1
    assert outcome.out.startswith("fault    missing: /dev/nonexistent does not exist\n         fix: ")


def test_doctor_takes_no_other_address(run: Run) -> None:
    """Wrong usage."""
    assert run("doctor", "/dev/null", "--addr", "300").code == 2
