"""Scenario: which devices stand on which lines, and what goes wrong when; read from a TOML file."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from firmware_sim.device import MIN_PERIOD
from firmware_sim.faults import MAX_WAITING, RATES, Fault
from firmware_sim.models import MODELS
from firmware_sim.storage import CAPACITY, MAX_CAPACITY
from framelink.config_files import load_table, parse_table, to_record
from framelink.errors import ConfigError
from framelink.message import Schema

Action = Literal["unplug", "replug", "reboot", "cut_reboot"]
PortKind = Literal["pty", "tcp", "memory"]
MAX_PORTS = 32  # a scenario is a bench, not a factory; each port costs file descriptors
DEFAULT_PERIOD = 500  # ms; often enough to see that a device is alive
MAX_PERIOD = 65_535  # ms; what the telemetry command's u16 carries
MAX_NAME = 247  # bytes; what an identify reply has room for
MAX_BAUDRATE = 0x7FFF_FFFF  # what serial drivers take


class DeviceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device on a line.

    Attributes:
        model: One of `firmware_sim.models.MODELS`.
        schema: In place of a model, a schema file of one's own, relative to the scenario file; the device
            then does what can be told from that.
        addr: Its address, 1 to 254.
        name: What it calls itself; its model's name unless given.
        period: Telemetry period in ms from power-up, 10 to 65,535, or 0 for silence.
        firmware: Its firmware's version.
        storage: Bytes that its files may have, up to 16 MiB.
    """

    model: str = ""
    schema: str = ""
    addr: int
    name: str = ""
    period: int = 0
    firmware: tuple[int, int, int] = (1, 0, 0)
    storage: int = CAPACITY


class EventEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that happens to a line at a time.

    Attributes:
        at: Seconds after the simulation's start.
        action: `unplug`, `replug`, `reboot` (of its devices) or `cut_reboot` (in mid-frame).
    """

    at: float
    action: Action


class PortEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A virtual serial port.

    Attributes:
        name: Its name, part of its link's path.
        kind: `pty`, `tcp` or `memory`; None leaves it to the simulation: a pty where there are ptys.
        device: The devices on it.
        fault: What is wrong with it.
        event: What happens to it.
    """

    name: str
    kind: PortKind | None = None
    device: list[DeviceEntry] = []
    fault: list[Fault] = []
    event: list[EventEntry] = []


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Devices on lines, and what goes wrong.

    Attributes:
        name: Its name.
        seed: Of all chance.
        port: The lines.
    """

    name: str = "scenario"
    seed: int = 0
    port: list[PortEntry] = []

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Read a scenario file.

        Raises:
            OSError: The file cannot be read.
            ConfigError: It is no scenario; the message names the file, the key and what is allowed.
        """
        return cls._of(load_table(path), str(path), Path(path).parent)

    @classmethod
    def parse(cls, text: str, *, source: str = "scenario") -> Scenario:
        """Read a scenario from TOML text; errors begin with `source`.

        Raises:
            ConfigError: It is no scenario.
        """
        return cls._of(parse_table(text, source), source)

    @classmethod
    def _of(cls, table: dict[str, Any], source: str, folder: Path = Path()) -> Scenario:
        scenario = _at_home(to_record(table, cls, source), folder)
        scenario.require_valid(source)
        return scenario

    def require_valid(self, source: str) -> None:
        """Check what the types alone cannot.

        Raises:
            ConfigError: Something is not allowed; the message begins with `source`.
        """
        _require(
            self.seed.bit_length() <= 64,
            f"{source}: seed must be a number of at most 64 bits, not {_shown(self.seed)}",
        )
        _require(1 <= len(self.port) <= MAX_PORTS, f"{source}: port: 1 to {MAX_PORTS} are needed")
        names = [one.name for one in self.port]
        for port in self.port:
            where = f"{source}: port {port.name!r}"
            usable = (
                port.name and port.name.isascii() and port.name.replace("-", "").replace("_", "").isalnum()
            )
            _require(bool(usable), f"{where}: name must be letters, digits, - and _")
            _require(names.count(port.name) == 1, f"{where}: another port has that name")
            _require(bool(port.device), f"{where}: at least one [[port.device]] is needed")
            addresses = [one.addr for one in port.device]
            _require(len(set(addresses)) == len(addresses), f"{where}: two devices have the same addr")
            for device in port.device:
                _require_device(device, where)
            for fault in port.fault:
                _require_fault(fault, where)
            for event in port.event:
                _require_seconds(event.at, f"{where}: event: at")

    def require_reachable(self) -> None:
        """Check that other programs can open every port.

        Raises:
            ConfigError: One is in this program's memory alone.
        """
        for port in self.port:
            _require(
                port.kind != "memory",
                f"port {port.name!r}: no other program can open one of kind memory: make it pty or tcp",
            )


def _require_device(device: DeviceEntry, where: str) -> None:
    _require(not (device.model and device.schema), f"{where}: a device has a model or a schema, not both")
    if device.schema:
        _load(device.schema, where)
    else:
        known = ", ".join(MODELS)
        _require(device.model in MODELS, f"{where}: model must be one of {known}, not {device.model!r}")
    size = len(device.name.encode())
    _require(size <= MAX_NAME, f"{where}: name must be at most {MAX_NAME} bytes, not {size}")
    _require(1 <= device.addr <= 0xFE, f"{where}: addr must be 1 to 254, not {_shown(device.addr)}")
    _require(
        device.period == 0 or MIN_PERIOD <= device.period <= MAX_PERIOD,
        f"{where}: period must be 0, or {MIN_PERIOD} to {MAX_PERIOD} ms, not {_shown(device.period)}",
    )
    _require(
        all(0 <= one <= 0xFF for one in device.firmware),
        f"{where}: firmware must be three numbers from 0 to 255,"
        f" not {', '.join(map(_shown, device.firmware))}",
    )
    _require(
        0 <= device.storage <= MAX_CAPACITY,
        f"{where}: storage must be 0 to {MAX_CAPACITY} bytes, not {_shown(device.storage)}",
    )


def _load(path: str, where: str) -> Schema:
    try:
        return Schema.load(path)
    except OSError as error:
        raise ConfigError(f"{where}: schema {path}: {error.strerror or error}") from None


def _at_home(scenario: Scenario, folder: Path) -> Scenario:
    """Return a scenario whose schema files are found from wherever the program was started."""
    ports = [
        replace(port, device=[_device_at_home(one, folder) for one in port.device]) for port in scenario.port
    ]
    return replace(scenario, port=ports)


def _device_at_home(device: DeviceEntry, folder: Path) -> DeviceEntry:
    return replace(device, schema=str(folder / device.schema)) if device.schema else device


def _require_fault(fault: Fault, where: str) -> None:
    for rate in RATES:
        value: Any = getattr(fault, rate)
        _require(0 <= value <= 1, f"{where}: fault: {rate} must be 0 to 1, not {value:g}")
    for amount, most in (("chunk", MAX_WAITING), ("baudrate", MAX_BAUDRATE)):
        value = getattr(fault, amount)
        _require(0 <= value <= most, f"{where}: fault: {amount} must be 0 to {most}, not {_shown(value)}")
    _require_seconds(fault.delay, f"{where}: fault: delay")
    _require_seconds(fault.start, f"{where}: fault: start")
    _require(
        fault.stop is None or fault.stop > fault.start,
        f"{where}: fault: stop must be later than start ({fault.start:g} s), not {fault.stop}",
    )


def _require_seconds(value: float, what: str) -> None:
    _require(0 <= value < math.inf, f"{what} must be 0 or more seconds, not {value:g}")


def _shown(number: int) -> str:
    """Return a number for people, whose files may hold some of a thousand digits."""
    return str(number) if number.bit_length() <= 64 else f"a number of {number.bit_length()} bits"


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


def scenario_of(schema: str | Path) -> Scenario:
    """Return a line with one device, at address 1, that a schema file describes.

    Raises:
        ConfigError: The file cannot be read.
        SchemaError: It does not describe a device; the message names the file and the key.
    """
    device = DeviceEntry(schema=str(schema), addr=1, period=DEFAULT_PERIOD)
    scenario = Scenario(name=Path(schema).stem, port=[PortEntry(name="device", device=[device])])
    scenario.require_valid(str(schema))
    return scenario


def demo_scenario() -> Scenario:
    """Return what the demo shows: a weather node, a motor controller and a power meter."""
    file = files("firmware_sim").joinpath("scenarios", "demo.toml")
    return Scenario.parse(file.read_text("utf-8"), source="demo.toml")
