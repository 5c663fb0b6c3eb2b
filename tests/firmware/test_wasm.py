"""The WebAssembly module that the dashboard serves."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from firmware_sim.c_config import config_header
from tests.support.flat import FlatReceiver, WasmModule
from tests.support.node import run_module
from tests.support.vectors import COUNTS, FOLDER, FRAMES, format_named
from tools import make_wasm

RUNNER = Path(__file__).with_name("vectors.mjs")
PAGE = make_wasm.ROOT / "docs" / "firmware.md"
FETCH = 'await (await fetch("framelink.wasm")).arrayBuffer()'


def test_the_committed_module_is_what_the_sources_make() -> None:
    """Nobody has changed the core without `make wasm`."""
    assert make_wasm.COMMITTED.read_bytes() == make_wasm.default_wasm().read_bytes()


def test_the_module_is_small_and_needs_nothing() -> None:
    """At most 4 KiB, and it imports nothing, so that any host can run it."""
    assert make_wasm.COMMITTED.stat().st_size <= make_wasm.MAX_SIZE == 4_096
    receiver = FlatReceiver(WasmModule(make_wasm.COMMITTED))  # which asserts that there are no imports
    assert receiver.state == "H"


def test_a_module_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make wasm` says so and leaves what is there."""
    monkeypatch.setattr(make_wasm, "MAX_SIZE", 100)
    target = tmp_path / "x.wasm"
    assert make_wasm.main(target) == 1
    assert "at most 100 are allowed" in capsys.readouterr().err
    assert not target.exists()


def test_all_vectors_hold_under_node(tmp_path: Path) -> None:
    """Encoding, receiving by byte and by block, states and ledger, in every variant, in JavaScript's hands."""
    modules = {
        name: str(make_wasm.build_wasm(config_header(format_named(name), table=16)))
        for name in FRAMES["formats"]
    }
    file = tmp_path / "modules.json"
    file.write_text(json.dumps(modules), "utf-8")
    done = subprocess.run(
        ["node", str(RUNNER), str(FOLDER), str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout) == COUNTS


def test_the_example_in_the_documentation_works() -> None:
    """It is run as it stands, but for where the module comes from."""
    found = re.search(r"```js\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    assert FETCH in found[1]
    example = found[1].replace(FETCH, f"readFileSync({json.dumps(str(make_wasm.COMMITTED))})")
    said = run_module(
        'import { readFileSync } from "node:fs";\n'
        + example
        + 'const wire = Buffer.from("ff55aa011003010203d0ec0d0a", "hex");\n'
        + "report([...frames(wire)].map(({ addr, cmd, data }) => [addr, cmd, [...data]]));\n"
    )
    assert said == [[1, 16, [1, 2, 3]]]
