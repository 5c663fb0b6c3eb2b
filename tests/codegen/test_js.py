"""`framelink.codegen.js`: generated modules under node, against the vectors, and their types by tsc."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from framelink.codegen import js, js_types
from framelink.message import Message, Schema, Undecodable
from framelink.wire import Frame
from tests.codegen.vectors import COUNTS, FOLDER, NAMES, schema_named, variations
from tests.support.node import NODE_DEADLINE
from tools.make_schema_vectors import tagged

RUNNER = Path(__file__).with_name("runner.mjs")
TSC = shutil.which("tsc")
TSC_OPTIONS = (
    "--strict",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "--moduleResolution",
    "nodenext",
)


def write_module(schema: Schema, folder: Path, name: str) -> Path:
    """Write a module and its declarations; return the module."""
    module = folder / f"{name}.mjs"
    module.write_text(js.generate(schema), "utf-8")
    module.with_suffix(".d.mts").write_text(js_types.declarations(schema), "utf-8")
    return module


@pytest.mark.parametrize("name", NAMES)
def test_a_module_reads_and_writes_the_vectors(name: str, tmp_path: Path) -> None:
    """Payloads ↔ fields, payloads that say nothing, and fields that have no payload."""
    module = write_module(schema_named(name), tmp_path, name)
    assert ran(module, FOLDER / f"{name}.json") == list(COUNTS[name].values())


@pytest.mark.parametrize("name", NAMES)
def test_a_module_says_of_any_payload_what_python_says(name: str, tmp_path: Path) -> None:
    """Of payloads that are cut, too long or changed, too: the same fields, or that they do not fit."""
    schema, cases = schema_named(name), Cases()
    for frame in variations(name):
        cases.add(frame, schema.decode(frame))
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps(cases.document), "utf-8")
    assert ran(write_module(schema, tmp_path, name), vectors) == [*cases.counts, 0]
    assert min(cases.counts) > 20


class Cases:
    """Vectors of what Python says."""

    def __init__(self) -> None:
        self.document: dict[str, list[dict[str, Any]]] = {"vectors": [], "undecodable": [], "refused": []}

    def add(self, frame: Frame, said: Message | Undecodable | None) -> None:
        """Add a frame, unless JSON has no number for a value, such as NaN."""
        assert said is not None
        case: dict[str, Any] = {"cmd": frame.cmd, "data": frame.data.hex()}
        if isinstance(said, Undecodable):
            case["message"] = said.reason.split(":")[0]
            self.document["undecodable"].append(case)
            return
        case |= {"message": said.name, "kind": said.kind, "fields": tagged(said.fields), "way": "decode"}
        if said.sequence is not None:
            case["sequence"] = said.sequence
        with contextlib.suppress(ValueError):
            json.dumps(case, allow_nan=False)
            self.document["vectors"].append(case)

    @property
    def counts(self) -> list[int]:
        """How many payloads fit, and how many do not."""
        return [len(self.document["vectors"]), len(self.document["undecodable"])]


def ran(module: Path, vectors: Path) -> list[int]:
    """Run vectors against a module; return how many of each kind."""
    node = shutil.which("node")
    assert node, "the tests need node; `make test` installs it where it may"
    command = [node, str(RUNNER), str(module), str(vectors)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=NODE_DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    counts: list[int] = json.loads(done.stdout)
    return counts


REFUSE = """\
import assert from "node:assert/strict";
import { encodeReply, PayloadError } from "./everything_sequenced.mjs";
const { cmd, data } = encodeReply("refusal", { refused: 0x20, code: "busy", text: "no" }, 7);
assert.deepEqual([cmd, [...data]], [0xff, [0x20, 4, 7, 0x6e, 0x6f]]);
const plain = encodeReply("refusal", { refused: 0x01, code: "busy", text: "no" }, 7);
assert.deepEqual([...plain.data], [0x01, 4, 0x6e, 0x6f]);
assert.throws(() => encodeReply("read", { values: Array(127).fill(1) }, 7), PayloadError);
"""


def test_a_refusal_has_the_sequence_byte_of_what_it_refuses(tmp_path: Path) -> None:
    """Behind command and code; a command outside of the profile has none."""
    write_module(schema_named("everything_sequenced"), tmp_path, "everything_sequenced")
    (tmp_path / "use.mjs").write_text(REFUSE, "utf-8")
    done = subprocess.run(
        ["node", "use.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=NODE_DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr


USE = """\
import { type Message, decode, encodeEvent, encodeReply, encodeRequest, PayloadError } from "./everything.mjs";

const found = decode(0x16, new Uint8Array());
if (found !== null && found.kind === "request" && found.message === "nested") {
  const x: number = found.fields.axes[0].target.x;
  const speed: "slow" | "fast" | "rapid" | number = found.fields.axes[0].flags.speed;
  console.log(x, speed);
} else if (found?.kind === "undecodable") {
  const reason: string = found.reason;
  console.log(reason);
}
const { cmd, data }: { cmd: number; data: Uint8Array } = encodeRequest("grown", { base: 1 });
encodeReply("grown", { base: 1, extra: 2, place: { x: 0.5, y: 1 } });
encodeEvent("log", { level: "info", text: "hot" });
encodeRequest("nothing");
encodeRequest("get", { parameter: "setpoint" });
// @ts-expect-error no such label
encodeEvent("log", { level: "loud", text: "hot" });
// @ts-expect-error no such message
encodeRequest("dance", {});
// @ts-expect-error a field is missing
encodeRequest("grown", {});
// @ts-expect-error 64 bits are a bigint
encodeRequest("numbers", { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8n, i: 9, j: 10, k: true });
export const all: [Message | null, number, Uint8Array, typeof PayloadError] = [null, cmd, data, PayloadError];
"""


def test_the_declarations_are_what_a_user_of_typescript_needs(tmp_path: Path) -> None:
    """Right use passes tsc, wrong use does not, and declarations pass by themselves."""
    assert TSC, "the tests need tsc; `make test` installs it where it may"
    for name in NAMES:
        write_module(schema_named(name), tmp_path, name)
    (tmp_path / "use.mts").write_text(USE, "utf-8")
    files = ["use.mts", *(f"{name}.d.mts" for name in NAMES)]
    done = subprocess.run(
        [TSC, *TSC_OPTIONS, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=NODE_DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


AWKWARD = """\
[device]
name = "it's */ \\"odd\\"\\nindeed"
description = "over */ here"
standard = false

[[event]]
id = 1
name = "constructor"
description = "*/ alert(1) /*"
fields = [
    { name = "valueOf", type = "u8", unit = "`${x}`", description = "*/" },
    { name = "labels", type = "u8", enum = { "__proto__" = 1, "a b" = 2, "\\"" = 3 } },
]
"""

AWKWARD_USE = """\
import assert from "node:assert/strict";
import { decode, encodeEvent } from "./awkward.mjs";
for (const label of ["__proto__", "a b", '"']) {
  const { cmd, data } = encodeEvent("constructor", { valueOf: 3, labels: label });
  const { fields } = decode(cmd, data);
  assert.equal(fields.valueOf, 3);
  assert.equal(fields.labels, label);
}
"""


def test_awkward_texts_and_names_are_only_texts_and_names(tmp_path: Path) -> None:
    """Neither quotes nor comment marks nor names that JavaScript uses itself do any harm."""
    write_module(Schema.parse(AWKWARD), tmp_path, "awkward")
    (tmp_path / "use.mjs").write_text(AWKWARD_USE, "utf-8")
    assert TSC
    for command in (["node", "use.mjs"], [TSC, *TSC_OPTIONS, "awkward.d.mts"]):
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=NODE_DEADLINE, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout


def test_the_same_schema_gives_the_same_text() -> None:
    """What is generated can be compared, and kept under version control."""
    for generate in (js.generate, js_types.declarations):
        assert generate(schema_named("everything")) == generate(schema_named("everything"))
