"""A device on a generated header: typed handlers, and the frames that they answer with."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim.toolchain import CORE
from framelink.codegen.c import generate
from framelink.message import Message, Schema
from framelink.wire import Frame
from tests.codegen.vectors import FOLDER, schema_named
from tests.firmware.bench import SOURCES, Bench

SCHEMA = schema_named("everything_sequenced")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The device, just started."""
    return bench_of(SCHEMA, tmp_path)


def bench_of(schema: Schema, folder: Path) -> Bench:
    """Return the device with a schema's header, just started."""
    (folder / "everything_sequenced.h").write_text(generate(schema), "utf-8")
    sources = (Path(__file__).with_name("c_device.c"), *SOURCES[1:])
    return Bench(sequenced=True, sources=sources, include=(CORE, folder))


def ask(bench: Bench, name: str, sequence: int = 0, **fields: object) -> Message:
    """Send a request and return the answer's meaning."""
    request = SCHEMA.encode(1, name, fields, sequence=sequence)
    message = SCHEMA.decode(bench.ask(request.cmd, request.data))
    assert isinstance(message, Message)
    return message


def test_a_handler_gets_fields_and_gives_fields(bench: Bench) -> None:
    """The sequence byte is not among them, and a repeat does not reach it."""
    assert ask(bench, "move", 1, steps=-5).fields == {"position": -5}
    assert ask(bench, "move", 1, steps=-5).fields == {"position": -5}
    assert ask(bench, "move", 2, steps=300, speed=9).fields == {"position": 295}
    assert ask(bench, "read", 3, which=[1, 2, 3]).fields == {"values": [0x101, 0x201, 0x301]}


def test_a_command_without_fields_has_none(bench: Bench) -> None:
    """Its handler gets no request and gives no reply."""
    assert (ask(bench, "stop", 1).fields, bench.c.bench_stops()) == ({}, 1)


def test_a_handler_refuses_with_code_and_text(bench: Bench) -> None:
    """As the device's own commands do."""
    refusal = ask(bench, "move", 1, steps=1, speed=0)
    assert refusal.fields == {"refused": 0x20, "code": "bad_value", "text": "too slow"}
    assert ask(bench, "move", 2, steps=1).fields == {"position": 1}


@pytest.mark.parametrize(
    ("cmd", "data"), [(0x20, b"\x01\x05"), (0x20, b"\x01\x05\x00\x01"), (0x21, b"\x01\x00")]
)
def test_a_payload_that_does_not_fit_never_reaches_a_handler(bench: Bench, cmd: int, data: bytes) -> None:
    """The device refuses its length."""
    message = SCHEMA.decode(bench.ask(cmd, data))
    assert isinstance(message, Message)
    assert (message.name, message.fields["code"]) == ("refusal", "bad_length")
    assert bench.c.bench_stops() == 0


def test_a_value_that_is_not_allowed_never_reaches_a_handler(tmp_path: Path) -> None:
    """The device refuses it."""
    text = (FOLDER / "everything_sequenced.toml").read_text("utf-8")
    limited = Schema.parse(text.replace('"steps", type = "i16"', '"steps", type = "i16", min = -500'))
    bench = bench_of(limited, tmp_path)
    assert ask(bench, "move", 1, steps=-501).fields == {
        "refused": 0x20,
        "code": "bad_value",
        "text": "out of range",
    }
    assert ask(bench, "move", 2, steps=-500).fields == {"position": -500}


def test_a_reply_that_is_too_long_is_refused(bench: Bench) -> None:
    """This build's payloads are shorter than the schema's."""
    refusal = ask(bench, "read", 1, which=[1] * 40)
    assert refusal.fields == {"refused": 0x22, "code": "failed", "text": "the reply does not fit"}


def test_parameters_are_in_the_users_struct(bench: Bench) -> None:
    """Get and set find them by the generated table."""
    assert ask(bench, "get", parameter="pace").fields == {"parameter": "pace", "value": 7}
    assert ask(bench, "set", parameter="pace", value=65_535).fields["value"] == 65_535


def test_events_are_sent_typed_and_reported(bench: Bench) -> None:
    """By the program, and once a telemetry period."""
    assert bench.c.bench_tell(-2) == 1
    assert bench.sent() == [Frame(1, 0x30, bytes.fromhex("feffffff"))]
    ask(bench, "move", 1, steps=4)
    ask(bench, "telemetry", period=100)
    assert bench.step(99) == []
    assert bench.step(100) == [Frame(1, 0x30, bytes.fromhex("04000000"))]
    assert ask(bench, "identify").fields["type"] == SCHEMA.device_type
