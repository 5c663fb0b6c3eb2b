"""The fuzz targets of the C core: under libFuzzer, from stdin, and by itself, always with sanitizers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from firmware_sim.c_config import config_header
from tests.support.fuzz import CORPUS, SECONDS, build_libfuzzer, build_standalone
from tests.support.vectors import STREAMS, format_named

STANDALONE_RUNS = 300
DEVICE_SECONDS = 10


def run(*command: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end."""
    return subprocess.run([*map(str, command)], input=stdin, capture_output=True, check=False, timeout=300)


def test_libfuzzer_finds_nothing_in_its_time(tmp_path: Path) -> None:
    """Bytes from the kept corpus, mutated by coverage: no crash, no leak, no slow input, no violated rule."""
    done = run(
        build_libfuzzer(),
        f"-max_total_time={SECONDS}",
        "-max_len=4096",
        "-timeout=5",
        f"-artifact_prefix={tmp_path}/",
        tmp_path,
        CORPUS,
    )
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said[-2_000:]
    executed = re.search(r"Done (\d+) runs", said)
    assert executed is not None
    assert int(executed[1]) > 10_000
    print(executed[0])  # noqa: T201 - a figure for whoever asks with -s


@pytest.mark.parametrize("sequenced", [0, 1])
def test_libfuzzer_finds_nothing_in_the_device(sequenced: int, tmp_path: Path) -> None:
    """Requests of every kind, transfers among them: no crash, no byte beyond its memory, nothing done twice."""
    program = build_libfuzzer("fuzz_device", f"-DFL_SEQUENCED={sequenced}")
    limits = (f"-max_total_time={DEVICE_SECONDS}", "-max_len=2048", "-timeout=5")
    done = run(program, *limits, f"-artifact_prefix={tmp_path}/", tmp_path)
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said[-2_000:]
    executed = re.search(r"Done (\d+) runs", said)
    assert executed is not None
    assert int(executed[1]) > 1_000


@pytest.mark.parametrize("sequenced", [0, 1])
def test_the_devices_target_runs_by_itself(sequenced: int) -> None:
    """Seeded random steps, with the smallest payload and the default one."""
    for max_data in (28, 64):
        header = config_header(format_named("default"), max_data=max_data, table=16)
        program = build_standalone(header, "fuzz_device", f"-DFL_SEQUENCED={sequenced}")
        done = run(program, "--random", "7", str(10 * STANDALONE_RUNS))
        assert (done.returncode, done.stderr) == (0, b"")


def test_the_corpus_is_kept() -> None:
    """Fuzzing begins where it ended the last time."""
    assert len(list(CORPUS.iterdir())) > 50


@pytest.mark.parametrize("name", ["default", "tail none", "fields len", "len of 2 bytes, big", "check xor8"])
def test_the_target_runs_by_itself(name: str) -> None:
    """Seeded random frames, damage and bytes that hurt, in several variants of the frame."""
    program = build_standalone(config_header(format_named(name), table=4_096))
    done = run(program, "--random", "7", str(STANDALONE_RUNS))
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_target_reads_stdin_and_files(tmp_path: Path) -> None:
    """Every stream of the vectors passes, from stdin and from a file."""
    program = build_standalone(config_header(format_named("default"), table=16))
    streams = [bytes.fromhex(one["bytes"]) for one in STREAMS["streams"]]
    for stream in streams[:5]:
        assert run(program, stdin=stream).returncode == 0
    paths = []
    for number, stream in enumerate(streams):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(stream)
    assert run(program, *paths).returncode == 0
    missing = run(program, tmp_path / "missing")
    assert missing.returncode == 1
    assert b"missing" in missing.stderr
