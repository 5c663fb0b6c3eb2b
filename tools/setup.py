"""Set this checkout up: a virtual environment, Python packages by group, system packages for the tests.

    python3 tools/setup.py run         what framelink itself needs
    python3 tools/setup.py test        that, the test tools, and system packages such as a browser
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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
MIN_PYTHON = (3, 11)
GROUPS = {"run": [], "test": ["test"], "bench": ["test", "bench"]}
PIP = "pip>=25.1"  # the first that installs dependency groups

# Command that must exist → Debian package, Homebrew package.
SYSTEM_PACKAGES = {
    "chromium": ("chromium", "chromium"),
    "node": ("nodejs", "node"),
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
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print(f"setting up {VENV} ({purpose}) …", flush=True)
    if not (BIN / "pip").exists() and not (BIN / "pip.exe").exists() and not _make_venv():
        return 1
    groups = [word for group in GROUPS[purpose] for word in ("--group", group)]
    for packages in (["--upgrade", PIP], ["--editable", ".", *groups]):
        options = ["--quiet", "--disable-pip-version-check"]
        command = [str(BIN / "python"), "-m", "pip", "install", *options, *packages]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            return _fail("pip could not install the packages; its message is above")
    stamp.write_text(wanted)
    return 0


def _make_venv() -> bool:
    create = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(create, capture_output=True, check=False, text=True)
    if made.returncode and _install_debian(["python3-venv", "python3-dev"]):
        made = subprocess.run(create, capture_output=True, check=False, text=True)
    if made.returncode:
        _fail(f"no virtual environment: {made.stdout.strip() or made.stderr.strip()}")
    return not made.returncode


def _system_packages() -> bool:
    missing = [command for command in SYSTEM_PACKAGES if not shutil.which(command)]
    if not missing:
        return True
    debian = [SYSTEM_PACKAGES[command][0] for command in missing]
    if _install_debian(debian):
        return True
    brew = [SYSTEM_PACKAGES[command][1] for command in missing]
    _fail(
        f"the tests need {', '.join(missing)}; install with"
        f" `sudo apt-get install {' '.join(debian)}` or `brew install {' '.join(brew)}`, then repeat"
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
