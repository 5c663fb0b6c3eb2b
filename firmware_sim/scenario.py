"""Scenario: which devices stand on which lines, and what goes wrong when; read from a TOML file."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from firmware_sim.faults import RATES, Fault
from firmware_sim.models import MODELS
from framelink.errors import ConfigError

Action = Literal["unplug", "replug", "reboot", "cut_reboot"]
PortKind = Literal["pty", "tcp", "memory"]
MAX_PORTS = 32  # a scenario is a bench, not a factory; each port costs file descriptors
MAX_PERIOD = 65_535  # ms; what the telemetry command's u16 carries


class DeviceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device on a line.

    Attributes:
        model: One of `firmware_sim.models.MODELS`.
        addr: Its address, 1 to 254.
        name: What it calls itself; its model's name unless given.
        period: Telemetry period in ms from power-up, 0 for silence.
        firmware: Its firmware's version.
    """

    model: str
    addr: int
    name: str = ""
    period: int = 0
    firmware: tuple[int, int, int] = (1, 0, 0)


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
        try:
            text = Path(path).read_text("utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: not a TOML file: not UTF-8 text") from None
        return cls.parse(text, source=str(path))

    @classmethod
    def parse(cls, text: str, *, source: str = "scenario") -> Scenario:
        """Read a scenario from TOML text; errors begin with `source`.

        Raises:
            ConfigError: It is no scenario.
        """
        try:
            scenario = msgspec.convert(tomllib.loads(text), cls)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{source}: not a TOML file: {error}") from None
        except msgspec.ValidationError as error:
            raise ConfigError(f"{source}: {str(error).replace('$.', '')}") from None
        scenario.require_valid(source)
        return scenario

    def require_valid(self, source: str) -> None:
        """Check what the types alone cannot.

        Raises:
            ConfigError: Something is not allowed; the message begins with `source`.
        """
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
                _require(event.at >= 0, f"{where}: event: at must be 0 or more seconds, not {event.at:g}")


def _require_device(device: DeviceEntry, where: str) -> None:
    _require(
        device.model in MODELS, f"{where}: model must be one of {', '.join(MODELS)}, not {device.model!r}"
    )
    _require(1 <= device.addr <= 0xFE, f"{where}: addr must be 1 to 254, not {device.addr}")
    _require(
        0 <= device.period <= MAX_PERIOD, f"{where}: period must be 0 to {MAX_PERIOD} ms, not {device.period}"
    )
    _require(
        all(0 <= one <= 0xFF for one in device.firmware),
        f"{where}: firmware must be three numbers from 0 to 255, not {list(device.firmware)}",
    )


def _require_fault(fault: Fault, where: str) -> None:
    for rate in RATES:
        value: Any = getattr(fault, rate)
        _require(0 <= value <= 1, f"{where}: fault: {rate} must be 0 to 1, not {value:g}")
    for amount in ("chunk", "delay", "baudrate", "start"):
        value = getattr(fault, amount)
        _require(value >= 0, f"{where}: fault: {amount} must be 0 or more, not {value:g}")
    _require(
        fault.stop is None or fault.stop > fault.start,
        f"{where}: fault: stop must be later than start ({fault.start:g} s), not {fault.stop}",
    )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


def demo_scenario() -> Scenario:
    """Return what the demo shows: a weather node, a motor controller and a power meter."""
    file = files("firmware_sim").joinpath("scenarios", "demo.toml")
    return Scenario.parse(file.read_text("utf-8"), source="demo.toml")
