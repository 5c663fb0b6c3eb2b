"""The C core's fuzz targets: `python -m tests.support.fuzz SECONDS` fuzzes frames on and keeps what it finds."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from firmware_sim.c_config import FLAG, NAME, config_header
from firmware_sim.toolchain import CORE, FIRMWARE, HOST, WARNINGS, Compiler, build
from framelink.wire import DEFAULT_FORMAT

CLANG = Compiler("this computer", "clang-14", ("clang-14", "libclang-rt-14-dev"), ("-std=c99",))
CORPUS = FIRMWARE / "fuzz" / "corpus"
FUZZ, DEMO, BOARDS = FIRMWARE / "fuzz", FIRMWARE / "demo", FIRMWARE / "boards"
INCLUDE = (CORE, FUZZ, DEMO, BOARDS)
SOURCES = {
    "fuzz_frame": (FUZZ / "fuzz_frame.c", CORE / "fl_frame.c", CORE / "fl_feed.c"),
    "fuzz_device": (
        FUZZ / "fuzz_device.c",
        DEMO / "storage.c",
        *(CORE / f"{one}.c" for one in ("fl_device", "fl_transfer", "fl_crc32", "fl_frame")),
    ),
}
"""Target → its sources."""
SECONDS = 60
SANITIZERS = "address,undefined"
FLAGS = (*WARNINGS, "-g", "-O1", "-fno-sanitize-recover=all", FLAG)


def build_libfuzzer(target: str = "fuzz_frame", *choices: str) -> Path:
    """Return a target as libFuzzer's, for the default frame."""
    flags = [*FLAGS, *choices, f"-fsanitize=fuzzer,{SANITIZERS}"]
    header = config_header(DEFAULT_FORMAT, table=16)
    return build(CLANG, SOURCES[target], flags=flags, include=INCLUDE, generated={NAME: header}, name=target)


def build_standalone(header: str, target: str = "fuzz_frame", *choices: str) -> Path:
    """Return a target as a program of its own, for a frame format's configuration header."""
    flags = [*FLAGS, *choices, f"-fsanitize={SANITIZERS}"]
    sources = [*SOURCES[target], FUZZ / "fuzz_run.c"]
    return build(HOST, sources, flags=flags, include=INCLUDE, generated={NAME: header}, name=target)


def main(seconds: int = SECONDS) -> int:
    """Fuzz on from the corpus, and put the smallest set of inputs that reaches as much in its place."""
    program = str(build_libfuzzer())
    with tempfile.TemporaryDirectory() as found, tempfile.TemporaryDirectory() as merged:
        CORPUS.mkdir(exist_ok=True)
        done = subprocess.run([program, f"-max_total_time={seconds}", found, str(CORPUS)], check=False)
        if done.returncode:
            return done.returncode
        subprocess.run([program, "-merge=1", "-max_len=300", merged, str(CORPUS), found], check=True)
        shutil.rmtree(CORPUS)
        shutil.copytree(merged, CORPUS)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
