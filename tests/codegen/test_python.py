"""`framelink.codegen.python`: generated modules against the vectors, on devices, and under type checkers."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import framelink
from firmware_sim import DeviceEntry, PortEntry, Scenario, Simulation, schema_of
from framelink.codegen import python
from framelink.codegen.python_schema import toml_of
from framelink.errors import PayloadError
from framelink.message import Message, Schema, Undecodable
from framelink.wire import Frame
from tests.codegen.vectors import COUNTS, NAMES, load, schema_named

DEADLINE = 300
"""Seconds that a type checker may take, on a machine that is busy."""
ADDR = 5
ROOT = Path(__file__).resolve().parents[2]


def module_of(schema: Schema, name: str, folder: Path) -> ModuleType:
    """Return the module of a schema, imported from its file."""
    path = folder / f"{name}.py"
    path.write_text(python.generate(schema), "utf-8")
    spec = importlib.util.spec_from_file_location(f"generated_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def kinds_of(module: ModuleType) -> dict[tuple[str, str], Any]:
    """Return a module's classes by name and kind of the message."""
    found: dict[tuple[str, str], Any] = module._KINDS
    return found


class TestVectors:
    """A module's classes and the vectors."""

    @pytest.mark.parametrize("name", NAMES)
    def test_fields_and_frames_are_the_vectors(self, name: str, tmp_path: Path) -> None:
        """Each message of the device's own becomes its frame, and is what the frame says."""
        module, cases = module_of(schema_named(name), name, tmp_path), load(name)["vectors"]
        kinds, ran = kinds_of(module), 0
        for one in cases:
            frame = Frame(0, one["cmd"], bytes.fromhex(one["data"]))
            kind = kinds.get((one["message"], one["kind"]))
            if kind is None:
                assert one["message"] in {"get", "set", "refusal"}
                assert module.decode(frame) is None
            else:
                check_vector(module, kind, one, frame)
            ran += 1
        assert ran == COUNTS[name]["vectors"]

    @pytest.mark.parametrize("name", NAMES)
    def test_payloads_that_say_nothing_are_undecodable(self, name: str, tmp_path: Path) -> None:
        """As the schema has it."""
        module, cases = module_of(schema_named(name), name, tmp_path), load(name)["undecodable"]
        for one in cases:
            found = module.decode(Frame(0, one["cmd"], bytes.fromhex(one["data"])))
            assert isinstance(found, Undecodable)

    def test_values_have_the_types_that_are_written_down(self, tmp_path: Path) -> None:
        """Structs and bit fields are dataclasses, also within lists; what a payload lacks is None."""
        module = module_of(schema_named("everything"), "everything", tmp_path)
        cases = {
            (one["message"], one["kind"], len(one["data"])): one for one in load("everything")["vectors"]
        }
        nested = next(one for (message, _, size), one in cases.items() if (message, size) == ("nested", 92))
        found = module.decode(Frame(0, nested["cmd"], bytes.fromhex(nested["data"])))
        assert found.origin == module.Point(x=-3276.8, y=0.1)
        assert found.axes[0].flags == module.AxisFlags(homed=True, speed="rapid", slot=2)
        assert found.labels[1] == module.Label(number=2, text="")
        assert module.decode(Frame(0, 0x98, b"\x01")) == module.GrownReply(base=1)
        assert module.GrownReply(base=1).place is None

    def test_values_that_are_not_allowed_are_refused(self, tmp_path: Path) -> None:
        """The error is framelink's, with the message and the field."""
        module = module_of(schema_named("everything"), "everything", tmp_path)
        with pytest.raises(PayloadError, match=r"^grown: base must be 0 to 255, not 256"):
            module.GrownRequest(base=256).frame(ADDR)


def check_vector(module: ModuleType, kind: Any, case: dict[str, Any], frame: Frame) -> None:
    """Check that a class reads a vector's fields, writes them, and makes its payload."""
    message = kind.from_fields(case["fields"])
    assert message.to_fields() == case["fields"]
    assert module.decode(frame) == message
    if case.get("way") != "decode":
        assert message.frame(0, case.get("sequence", 0)) == frame


class FakeDevice:
    """Answers requests from the vectors, and says what events they have."""

    def __init__(self, name: str) -> None:
        self._schema = schema_named(name)
        self._cases = load(name)["vectors"]
        self.asked: list[Frame] = []

    def request(self, message: str, fields: Mapping[str, Any]) -> Message:
        """Return the vector of the reply, of the same parameter if there is one."""
        self.asked.append(self._schema.encode(ADDR, message, fields))
        return self._said(message, "reply", fields.get("parameter"))

    def events(self, message: str) -> Iterator[Message]:
        """Return an iterator of the vectors of an event."""
        return iter([self._said(message, "event", None)])

    def _said(self, message: str, kind: str, parameter: str | None) -> Message:
        wanted = (message, kind, parameter)
        for one in reversed(self._cases):
            if (one["message"], one["kind"], one["fields"].get("parameter")) == wanted:
                decoded = self._schema.decode(Frame(ADDR, one["cmd"], bytes.fromhex(one["data"])))
                assert isinstance(decoded, Message)
                return decoded
        raise AssertionError(wanted)


class AsyncFakeDevice:
    """The same for asyncio."""

    def __init__(self, name: str) -> None:
        self._device = FakeDevice(name)

    async def request(self, message: str, fields: Mapping[str, Any]) -> Message:
        """Return the vector of the reply."""
        return self._device.request(message, fields)

    async def events(self, message: str) -> AsyncIterator[Message]:
        """Yield the vectors of an event."""
        for one in self._device.events(message):
            yield one


class TestClient:
    """A module's typed device."""

    def test_a_request_has_its_arguments_and_a_typed_reply(self, tmp_path: Path) -> None:
        """Arguments are the request's fields; what may be absent may be left out."""
        module = module_of(schema_named("everything_sequenced"), "everything_sequenced", tmp_path)
        device = FakeDevice("everything_sequenced")
        client = module.EverythingSequenced(device)
        assert client.move(-100, speed=50) == module.MoveReply(position=-70000)
        assert client.move(1) == module.MoveReply(position=-70000)
        assert [one.data[1:].hex() for one in device.asked] == ["9cff3200", "0100"]
        assert client.stop() == module.StopReply()
        assert list(client.moved_events()) == [module.MovedEvent(position=9)]

    def test_parameters_are_read_and_changed_by_their_own_methods(self, tmp_path: Path) -> None:
        """Each method's request is the vector's, and what it returns is the value in the reply."""
        module = module_of(schema_named("everything"), "everything", tmp_path)
        device = FakeDevice("everything")
        client = module.Everything(device)
        cases = [one for one in load("everything")["vectors"] if one["message"] == "set"]
        requests = [one for one in cases if one["kind"] == "request"]
        for one in requests:
            name, value = one["fields"]["parameter"], one["fields"]["value"]
            if isinstance(value, dict):
                value = getattr(module, {"home": "Point", "options": "ParameterOptions"}[name])(**value)
            assert getattr(client, f"set_{name}")(value) == value
            assert device.asked[-1].data.hex() == one["data"]
            assert getattr(client, f"get_{name}")() == value
        assert len(requests) == 8

    async def test_asyncio_has_the_same_methods(self, tmp_path: Path) -> None:
        """Awaited, or iterated over with `async for`."""
        module = module_of(schema_named("everything"), "everything", tmp_path)
        client = module.AsyncEverything(AsyncFakeDevice("everything"))
        assert await client.set_mode("automatic") == "automatic"
        assert await client.get_title() == "Größe"
        assert await client.texts("A", "b", b"1234", b"", "c") == module.TextsReply(b"\x55\xaa", b"\r\n")
        assert [one async for one in client.log_events()] == [module.LogEvent(level="debug", text="")]


async def test_a_client_talks_to_a_device(tmp_path: Path) -> None:
    """On a real link: requests, parameters and events of a simulated motor controller have their types."""
    schema = schema_of("motor")
    module = module_of(schema, "motor", tmp_path)
    entry = PortEntry(name="m", device=[DeviceEntry(model="motor", addr=1, period=200)])
    async with (
        asyncio.timeout(DEADLINE),
        Simulation(Scenario(port=[entry]), link=tmp_path / "dev") as simulation,
        framelink.connect(simulation.urls["m"]) as link,
    ):
        motor = module.AsyncMotor(link.device(1, module.SCHEMA))
        assert await motor.jog(steps=7) == module.JogReply(position=7, jogs=1)
        assert await motor.set_setpoint(900) == 900
        events = motor.motor_events()
        await motor.device.request("telemetry", {"period": 10})
        event = await anext(events)
        assert isinstance(event, module.MotorEvent)
        assert (event.setpoint, event.fault) == (900, "none")


USE = """\
from collections.abc import AsyncIterator
from typing import Literal

from everything import AsyncEverything, Everything, LogEvent, NestedRequest, Point, decode
from framelink.message import Undecodable
from framelink.wire import Frame


def use(device: Everything, frame: Frame) -> str:
    ratio: float = device.numbers(1, 2, 3, 4, 5, 6, 7, 8, 9.0, 10.0, True).sum
    place: Point | None = device.grown(1, extra=2).place
    speed: int = device.set_setpoint(5)
    mode: Literal["manual", "automatic"] | int = device.get_mode()
    text = ""
    for event in device.log_events():
        text = event.text
    found = decode(frame)
    if isinstance(found, NestedRequest):
        return f"{found.axes[0].target.x:.1f} {ratio} {place} {speed} {mode} {text}"
    return found.reason if isinstance(found, Undecodable) else ""


async def use_async(device: AsyncEverything) -> AsyncIterator[LogEvent]:
    await device.set_mode("manual")
    async for event in device.log_events():
        yield event


def misuse(device: Everything) -> None:
    device.grown("1")  # type: ignore[arg-type]
    device.set_mode("fast")  # type: ignore[arg-type]
    device.dance()  # type: ignore[attr-defined]
    LogEvent(level="loud", text="")  # type: ignore[arg-type]
"""


def write_all(folder: Path) -> list[str]:
    """Write all modules, and one that uses them; return the names of the files."""
    schemas = {name: schema_named(name) for name in NAMES}
    schemas["motor"] = Schema.load(ROOT / "firmware_sim/schemas/motor.toml")
    for name, schema in schemas.items():
        (folder / f"{name}.py").write_text(python.generate(schema), "utf-8")
    (folder / "use.py").write_text(USE, "utf-8")
    return [f"{name}.py" for name in (*schemas, "use")]


class TestTypes:
    """Generated modules under type checkers."""

    def test_modules_and_their_use_pass_mypy(self, tmp_path: Path) -> None:
        """In strict mode, in which an ignored error that is none is an error: misuse is noticed."""
        command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", ".cache"]
        assert checked([*command, *write_all(tmp_path)], tmp_path) == (0, "")

    def test_modules_and_their_use_pass_pyright(self, tmp_path: Path) -> None:
        """Its complaints would be those that users of editors see."""
        files = write_all(tmp_path)
        command = [str(Path(sys.executable).with_name("pyright")), "--pythonpath", sys.executable]
        assert checked([*command, *files], tmp_path) == (0, "")


def checked(command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Return a type checker's exit code, and what it complains about."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=DEADLINE, check=False, env=None
    )
    return done.returncode, "\n".join(
        one for one in done.stdout.splitlines() if "error" in one and "0 errors" not in one
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_in_a_module_is_the_schema(name: str) -> None:
    """Written as TOML and read again, it says the same."""
    schema = schema_named(name)
    assert Schema.parse(toml_of(schema)).document == schema.document


AWKWARD = """\
[device]
name = "it's \\"\\"\\" \\\\ odd\\nindeed\\u007f"
description = "over \\"\\"\\" here \\\\"
standard = false

[frame]
legal_lengths = { "0x05" = [1] }

[[command]]
id = 1
name = "import"
request = [{ name = "class", type = "u8" }, { name = "message", type = "u8" }, { name = "self", type = "u8" }]

[[event]]
id = 5
name = "device"
description = "\\"\\"\\" \\\\"
fields = [{ name = "größe", type = "u8", enum = { "\\"" = 1, "\\\\" = 2 } }]
"""


def test_awkward_texts_and_names_are_only_texts_and_names(tmp_path: Path) -> None:
    """Neither quotes nor backslashes nor names that Python uses itself do any harm."""
    schema = Schema.parse(AWKWARD)
    module = module_of(schema, "awkward", tmp_path)
    assert module.SCHEMA.document == schema.document
    assert module.ImportRequest(class_=1, message=2, self_=3).frame(1).data == b"\1\2\3"
    assert module.decode(Frame(1, 5, b"\x02")) == module.DeviceEvent(größe="\\")


def test_the_same_schema_gives_the_same_text() -> None:
    """What is generated can be compared, and kept under version control."""
    assert python.generate(schema_named("everything")) == python.generate(schema_named("everything"))
