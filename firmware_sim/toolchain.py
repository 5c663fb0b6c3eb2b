"""Compilers for the C firmware: what is missing, and builds that are made once and kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import platformdirs

from framelink.errors import ToolchainError

FIRMWARE = Path(str(files("firmware_sim") / "firmware"))
"""The folder of the C sources."""
CORE = FIRMWARE / "core"
"""The folder of the frame core."""

BUILD_TIMEOUT = 120.0  # seconds for one compiler call; the slowest takes about one
CACHE_VARIABLE = "FRAMELINK_CACHE"
"""The environment variable that names another folder for what is built."""

WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wundef",
    "-Wmissing-prototypes",
    "-Werror",
)
"""What the core compiles without, with every compiler."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler for one kind of machine.

    Attributes:
        machine: What it makes code for, in words.
        command: Its name on the PATH.
        packages: The Debian packages that bring it and its libraries.
        flags: What every call gets.
    """

    machine: str
    command: str
    packages: tuple[str, ...]
    flags: tuple[str, ...] = ()


HOST = Compiler("this computer", "cc", ("gcc", "libc6-dev"), ("-std=c99",))
AVR = Compiler(
    "the ATmega328P",
    "avr-gcc",
    ("gcc-avr", "avr-libc"),
    ("-std=c99", "-mmcu=atmega328p", "-DF_CPU=16000000UL"),
)
CORTEX_M3 = Compiler(
    "the Cortex-M3",
    "arm-none-eabi-gcc",
    ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi"),
    ("-std=c99", "-mcpu=cortex-m3", "-mthumb"),
)
WASM = Compiler(
    "WebAssembly",
    "clang-14",
    ("clang-14", "lld-14"),
    ("-std=c99", "--target=wasm32", "-nostdlib", "-ffreestanding", "-fuse-ld=/usr/bin/wasm-ld-14"),
)


def require(
    purpose: str,
    commands: Iterable[str],
    packages: Iterable[str],
    *,
    headers: Iterable[tuple[str, str]] = (),
) -> None:
    """Check that programs are there, and libraries by their headers.

    Args:
        purpose: What needs them, for the message.
        commands: Names on the PATH.
        packages: The Debian packages that bring all of them.
        headers: A compiler's command, and a header that it must find.

    Raises:
        ToolchainError: One is missing; the message names the packages.
    """
    missing = [command for command in commands if shutil.which(command) is None]
    if not missing:
        missing = [header for compiler, header in headers if not _has_header(compiler, header)]
    if missing:
        raise ToolchainError(
            f"{purpose} needs {', '.join(missing)}, not found on this computer;"
            f" install with `sudo apt-get install {' '.join(packages)}`"
        )


def _has_header(compiler: str, header: str) -> bool:
    command = [compiler, "-E", "-include", header, "-x", "c", os.devnull, "-o", os.devnull]
    return subprocess.run(command, capture_output=True, check=False, timeout=BUILD_TIMEOUT).returncode == 0


def build(
    compiler: Compiler,
    sources: Sequence[Path],
    *,
    flags: Sequence[str] = (),
    include: Sequence[Path] = (CORE,),
    generated: dict[str, str] | None = None,
    libraries: Sequence[str] = (),
    linker_script: Path | None = None,
    name: str = "firmware",
) -> Path:
    """Compile and link sources, or return what an earlier call made of the same ones.

    Args:
        compiler: For which machine.
        sources: C and assembler files.
        flags: More flags of this build.
        include: Folders of headers; their content is part of what "the same" means.
        generated: File name → text of headers that are made for this build; they are found first.
        libraries: What is linked behind the sources, without the -l.
        linker_script: Where things go in memory, if the compiler's own does not say.
        name: The result's file name; what else the compiler writes stands beside it.

    Raises:
        ToolchainError: The compiler is missing or refuses the sources.
    """
    require(f"a build for {compiler.machine}", [compiler.command], compiler.packages)
    words = [*compiler.flags, *flags]
    linked = [f"-l{one}" for one in libraries]
    inputs = [*sources, *_headers(include)]
    if linker_script is not None:
        linked += ["-T", str(linker_script)]
        inputs.append(linker_script)
    folder = _cache() / _fingerprint(compiler, inputs, [*words, *linked], generated or {})
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            for header, text in (generated or {}).items():
                Path(made, header).write_text(text, "utf-8")
            places = [f"-I{one}" for one in (made, *include)]
            _run([compiler.command, *words, *places, *map(str, sources), *linked, "-o", str(made / name)])
            _keep(made, folder)
    return folder / name


def _keep(made: Path, folder: Path) -> None:
    """Put a build in its place in one step, so that builds side by side never meet half of one."""
    with contextlib.suppress(OSError):  # the same was built beside us, and is there
        made.rename(folder)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"{command[0]} took more than {BUILD_TIMEOUT:g} s") from None
    if done.returncode:
        problem = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
        raise ToolchainError(f"{command[0]} failed: {problem}")


def _headers(include: Sequence[Path]) -> list[Path]:
    return [path for folder in include for path in sorted(folder.glob("*.h"))]


def _fingerprint(
    compiler: Compiler, paths: Sequence[Path], words: Sequence[str], generated: dict[str, str]
) -> str:
    """Return a name for everything that a result depends on."""
    digest = hashlib.sha256()
    version = subprocess.run([compiler.command, "--version"], capture_output=True, check=False)
    parts = [version.stdout, compiler.command.encode(), *(word.encode() for word in words)]
    parts += [text.encode() for item in generated.items() for text in item]
    parts += [part for path in paths for part in (path.name.encode(), path.read_bytes())]
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:32]


def _cache() -> Path:
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else platformdirs.user_cache_path("framelink") / "firmware"
