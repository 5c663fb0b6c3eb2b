"""Set this checkout up: a virtual environment, Python packages by group, system packages for the tests.

    python3 tools/setup.py run         what framelink itself needs
    python3 tools/setup.py test        that, the test tools, and system packages such as browser and compilers
    python3 tools/setup.py bench       that of `run`, and the peers that benchmarks compare with

Safe to repeat: a stamp makes the second time instant.  Standard library only, since it runs before
anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
MIN_PYTHON = (3, 11)
GROUPS = {"run": [], "test": ["test"], "bench": ["test", "bench"]}
C_SOURCES = ("framelink/wire/native", "firmware_sim/firmware/core")
QUIET = {
    "PYTHONWARNINGS": "ignore:`[tool.setuptools.ext-modules]`"
}  # says that it is new; nothing to do for us
PIP = "pip>=25.1"  # the first that installs dependency groups

Check = Callable[[], bool]


def _command(name: str) -> Check:
    """Return a check for a program."""
    return lambda: shutil.which(name) is not None


def _header(compiler: str, header: str) -> Check:
    """Return a check for a library, by a header that a compiler finds."""
    options = ["-E", "-include", header, "-x", "c", os.devnull, "-o", os.devnull]
    return lambda: bool(shutil.which(compiler)) and _succeeds([compiler, *options])


def _fuzzer_of_clang() -> bool:
    """Tell whether the library is there that clang links fuzz targets with."""
    if not shutil.which("clang-14"):
        return False
    asked = ["clang-14", "--print-runtime-dir"]
    folder = subprocess.run(asked, capture_output=True, check=False, text=True).stdout.strip()
    return any(Path(folder).glob("libclang_rt.fuzzer*"))


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# Debian package → how to see that it is there, Homebrew package if there is one.
SYSTEM_PACKAGES: dict[str, tuple[Check, str | None]] = {
    "chromium": (_command("chromium"), "chromium"),
    "nodejs": (_command("node"), "node"),
    "node-typescript": (_command("tsc"), "typescript"),
    "tshark": (_command("tshark"), "wireshark"),
    "gcc": (_command("gcc"), None),
    "libc6-dev": (_header("gcc", "stdio.h"), None),
    "g++": (_command("g++"), None),
    "clang-14": (_command("clang-14"), "llvm@14"),
    "lld-14": (_command("wasm-ld-14"), "llvm@14"),
    "libclang-rt-14-dev": (_fuzzer_of_clang, "llvm@14"),
    "cppcheck": (_command("cppcheck"), "cppcheck"),
    "gcc-avr": (_command("avr-gcc"), "osx-cross/avr/avr-gcc"),
    "avr-libc": (_header("avr-gcc", "avr/io.h"), "osx-cross/avr/avr-gcc"),
    "libsimavr-dev": (_header("gcc", "simavr/sim_avr.h"), "osx-cross/avr/simavr"),
    "libelf-dev": (_header("gcc", "libelf.h"), "libelf"),
    "gcc-arm-none-eabi": (_command("arm-none-eabi-gcc"), "gcc-arm-embedded"),
    "libnewlib-arm-none-eabi": (_header("arm-none-eabi-gcc", "string.h"), "gcc-arm-embedded"),
    "qemu-system-arm": (_command("qemu-system-arm"), "qemu"),
}


def main() -> int:
    """Set up for the purpose named on the command line."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "run"
    if purpose not in GROUPS:
        return _fail(f"unknown purpose {purpose!r}; one of: {', '.join(GROUPS)}")
    if sys.version_info < MIN_PYTHON:
        wanted = ".".join(map(str, MIN_PYTHON))
        this = sys.version.split()[0]
        return _fail(f"Python {wanted} or later is needed, this is {this}; try make PYTHON=python3.12")
    if purpose == "test" and not _system_packages():
        return 1
    return _python_packages(purpose)


def _python_packages(purpose: str) -> int:
    stamp = VENV / f".ready-{purpose}"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print(f"setting up {VENV} ({purpose}) …", flush=True)
    _c_headers()
    if not (BIN / "pip").exists() and not (BIN / "pip.exe").exists() and not _make_venv():
        return 1
    groups = [word for group in GROUPS[purpose] for word in ("--group", group)]
    for packages in (["--upgrade", PIP], ["--editable", ".", *groups]):
        options = ["--quiet", "--disable-pip-version-check"]
        command = [str(BIN / "python"), "-m", "pip", "install", *options, *packages]
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **QUIET}, check=False).returncode:
            return _fail("pip could not install the packages; its message is above")
    stamp.write_text(wanted)
    return 0


def _c_headers() -> None:
    """See to Python's C headers: without them packages install, and compute their checks 25 times slower."""
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists() and not _install_debian(["python3-dev"]):
        print(f"setup: {header} is missing; all works, slower: `sudo apt-get install python3-dev` helps")


def _fingerprint() -> str:
    """Return a name for all that an installation is made of, the extension's sources too."""
    sources = [path for folder in C_SOURCES for path in sorted((ROOT / folder).glob("*.[ch]"))]
    parts = [path.read_bytes() for path in (ROOT / "pyproject.toml", *sources)]
    return hashlib.sha256(b"".join([*parts, sys.version.encode()])).hexdigest()


def _make_venv() -> bool:
    create = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(create, capture_output=True, check=False, text=True)
    if made.returncode and _install_debian(["python3-venv", "python3-dev"]):
        made = subprocess.run(create, capture_output=True, check=False, text=True)
    if made.returncode:
        _fail(f"no virtual environment: {made.stdout.strip() or made.stderr.strip()}")
    return not made.returncode


def _system_packages() -> bool:
    missing = [package for package, (is_there, _brew) in SYSTEM_PACKAGES.items() if not is_there()]
    if not missing or _install_debian(missing):
        return True
    brew = dict.fromkeys(SYSTEM_PACKAGES[package][1] or "" for package in missing)
    _fail(
        f"the tests need more of this system; install with `sudo apt-get install {' '.join(missing)}`"
        f" or `brew install {' '.join(filter(None, brew))}`, then repeat"
    )
    return False


def _install_debian(packages: list[str]) -> bool:
    """Install Debian packages if this user may; tell whether they are there now."""
    if not shutil.which("apt-get"):
        return False
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode:
        return False
    print(f"installing {' '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        command = [*sudo, "apt-get", *words]
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            return False
    return True


def _fail(message: str) -> int:
    print(f"setup: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
