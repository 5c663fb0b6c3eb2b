"""The C core under every compiler and cppcheck: not one warning."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_sim.toolchain import AVR, CORE, CORTEX_M3, FIRMWARE, HOST, WARNINGS, Compiler, build
from framelink.errors import ToolchainError

CLANG = Compiler("this computer", "clang-14", ("clang-14",), ("-std=c99",))
COMPILERS = {
    "gcc": replace(HOST, command="gcc"),
    "clang": CLANG,
    "avr-gcc": AVR,
    "arm-none-eabi-gcc": CORTEX_M3,
}
TABLES = {"none": 0, "16": 16, "256": 256, "sliced": 4_096}
LEVELS = ("-Os", "-O3")
SOURCES = sorted(CORE.glob("*.c"))
FOR_HOSTS = "fl_feed.c"
CASES = [
    pytest.param(name, source, id=f"{name}, {source.name}")
    for name in COMPILERS
    for source in SOURCES
    if (name, source.name) != ("avr-gcc", FOR_HOSTS)
]


@pytest.mark.parametrize(("name", "source"), CASES)
def test_the_core_compiles_without_a_warning(name: str, source: Path) -> None:
    """With every kind of CRC table, for size and for speed."""
    for table in (0, 1, 16, 256) if name == "avr-gcc" else TABLES.values():
        for level in LEVELS:
            flags = [*WARNINGS, level, f"-DFL_CRC_TABLE={table}", "-c"]
            assert build(COMPILERS[name], [source], flags=flags, name="core.o").stat().st_size > 0


@pytest.mark.parametrize("payload", [28, 255])
@pytest.mark.parametrize("name", COMPILERS)
def test_the_sequenced_profile_compiles_without_a_warning(name: str, payload: int) -> None:
    """Device and transfers, with the smallest and the largest payload."""
    for source in ("fl_device.c", "fl_transfer.c"):
        flags = [*WARNINGS, "-Os", "-DFL_SEQUENCED=1", f"-DFL_MAX_DATA={payload}", "-c"]
        assert build(COMPILERS[name], [CORE / source], flags=flags, name="core.o").stat().st_size > 0


def test_a_profile_that_is_none_does_not_compile() -> None:
    """The compiler says what may be chosen."""
    with pytest.raises(ToolchainError, match="FL_SEQUENCED is 0 or 1"):
        build(HOST, [CORE / "fl_device.c"], flags=["-DFL_SEQUENCED=2", "-c"])


def test_the_core_can_be_included_from_cpp(tmp_path: Path) -> None:
    """Its headers, in a C++ program such as an Arduino sketch, linked against the C objects."""
    headers = "".join(f'#include "{one.name}"\n' for one in sorted(CORE.glob("*.h")) if one.name in PUBLIC)
    (tmp_path / "sketch.cpp").write_text(f"{headers}int main() {{ return FL_OVERHEAD - 9; }}\n", "utf-8")
    compiler = replace(HOST, command="g++", flags=("-std=c++11",))
    flags = [*(one for one in WARNINGS if one != "-Wmissing-prototypes"), "-Wno-pedantic"]
    program = build(compiler, [tmp_path / "sketch.cpp"], flags=flags)
    assert subprocess.run([str(program)], check=False, timeout=10).returncode == 0


PUBLIC = ("fl_frame.h", "fl_feed.h", "fl_device.h", "fl_transfer.h", "fl_crc32.h", "fl_ring.h")


def test_cppcheck_finds_nothing() -> None:
    """In the core and in what stands on it."""
    folders = ("core", "wasm", "probe", "fuzz", "size")
    sources = [str(path) for folder in folders for path in sorted((FIRMWARE / folder).glob("*.c"))]
    done = subprocess.run(
        [
            "cppcheck",
            "--quiet",
            "--std=c99",
            "--enable=warning,style,performance,portability",
            "--error-exitcode=1",
            "--suppress=missingIncludeSystem",
            "-UFL_CONFIG",
            *(f"-I{FIRMWARE / one}" for one in ("core", "fuzz", "demo", "boards")),
            *sources,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(sources) >= 10


def test_a_missing_compiler_is_named_with_its_packages() -> None:
    """One line that says what to install."""
    missing = replace(AVR, command="no-such-avr-gcc")
    with pytest.raises(
        ToolchainError, match=r"no-such-avr-gcc, not found .* apt-get install gcc-avr avr-libc"
    ):
        build(missing, SOURCES)


def test_what_does_not_compile_is_said_in_one_line(tmp_path: Path) -> None:
    """The compiler's first error."""
    broken = tmp_path / "broken.c"
    broken.write_text("int main(void) { return x; }\n", "utf-8")
    with pytest.raises(ToolchainError, match=r"cc failed: .*broken.c:1:.*error.*x"):
        build(HOST, [broken])


def test_a_build_is_made_once_and_again_when_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources, headers, flags and the compiler are part of what "the same" means."""
    monkeypatch.setenv("FRAMELINK_CACHE", str(tmp_path / "cache"))
    source, folder = tmp_path / "a.c", tmp_path / "include"
    folder.mkdir()
    source.write_text('#include "a.h"\nint main(void) { return A; }\n', "utf-8")
    (folder / "a.h").write_text("#define A 0\n", "utf-8")
    first = build(HOST, [source], include=[folder])
    made_at = first.stat().st_mtime_ns
    assert build(HOST, [source], include=[folder]) == first
    assert first.stat().st_mtime_ns == made_at
    (folder / "a.h").write_text("#define A 1\n", "utf-8")
    changed = build(HOST, [source], include=[folder])
    assert changed != first
    assert build(HOST, [source], include=[folder], flags=["-O1"]) not in (first, changed)
    assert subprocess.run([str(changed)], check=False, timeout=10).returncode == 1
