"""The installation: from the source distribution, with a compiler and without one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import framelink
from tests.support.program import Outcome

ROOT = Path(framelink.__file__).parent.parent
WAIT = 120.0
"""Seconds after which a build has failed; it takes five."""
BACKEND = (
    "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
)
GOLDEN = bytes.fromhex("55 AA 01 10 03 01 02 03 D0 EC 0D 0A")


def run(
    *command: str | Path, cwd: Path, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> Outcome:
    """Run a program that must succeed, away from the checkout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=inherited | (environment or {}),
        input=stdin,
        capture_output=True,
        timeout=WAIT,
        check=False,
    )
    outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert outcome.code == 0, outcome.err
    return outcome


def make(what: str, source: Path, target: Path, environment: dict[str, str] | None = None) -> Path:
    """Let the build backend make a distribution."""
    done = run(sys.executable, "-c", BACKEND, what, target, cwd=source, environment=environment)
    return target / done.out.splitlines()[-1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    leave = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    for name in ("framelink", "firmware_sim"):
        shutil.copytree(ROOT / name, folder / "checkout" / name, ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "checkout" / name)
    with tarfile.open(make("build_sdist", folder / "checkout", folder)) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (root,) = (folder / "unpacked").iterdir()
    return root


@pytest.mark.parametrize(("language", "environment"), [("C", {}), ("Python", {"CC": "false"})])
def test_a_wheel_of_the_source_distribution_works_in_a_fresh_environment(
    unpacked: Path, tmp_path: Path, language: str, environment: dict[str, str]
) -> None:
    """With a compiler C decodes; without one the installation succeeds all the same, and Python does."""
    source = shutil.copytree(unpacked, tmp_path / "source")
    wheel = make("build_wheel", source, tmp_path, environment)
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=tmp_path)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"], "utf-8")

    program = tmp_path / "venv" / "bin" / "framelink"
    version = f"framelink {framelink.__version__} (frames decoded in {language})\n"
    assert run(program, "--version", cwd=tmp_path).out == version
    decoded = run(program, "decode", "-", "--json", cwd=tmp_path, stdin=GOLDEN).out
    assert decoded == '{"offset":0,"addr":1,"cmd":16,"data":"010203"}\n'
    where = run(python, "-c", "import framelink; print(framelink.__file__)", cwd=tmp_path).out
    assert Path(where.strip()).is_relative_to(tmp_path)


def includes(path: Path, folders: list[Path]) -> Iterator[Path]:
    """Yield a C file and what it includes of ours, and so on."""
    yield path
    for name in re.findall(r'^#include "(\w+\.h)"', path.read_text("utf-8"), re.MULTILINE):
        yield from includes(next(one / name for one in folders if (one / name).exists()), folders)


def test_the_extension_names_all_that_it_is_made_of() -> None:
    """Else a change of a header would leave a stale build."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    (extension,) = settings["ext-modules"]
    sources = [ROOT / name for name in extension["sources"]]
    folders = [ROOT / "framelink" / "wire" / "native", *(ROOT / name for name in extension["include-dirs"])]
    used = {path for source in sources for path in includes(source, folders)}
    assert used - set(sources) == {ROOT / name for name in extension["depends"]}
    assert set(folders[0].glob("*.[ch]")) <= used
