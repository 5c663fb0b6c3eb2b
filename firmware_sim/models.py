"""What the simulated devices measure and do: weather node, motor controller, power meter."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Protocol

from firmware_sim.signals import Lag, Swing
from framelink.message import RefusalCode, Schema, Value


class Refusal(Exception):
    """A command that the device refuses.

    Attributes:
        code: The reason.
        text: The device's own words.
    """

    def __init__(self, code: RefusalCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Model(Protocol):
    """What makes one device different from another.

    Attributes:
        parameters: The parameters' names and values.
    """

    parameters: dict[str, Value]

    def power_up(self) -> None:
        """Start anew: forget what is kept in RAM only; parameters keep their values."""

    def measure(self, now: float) -> dict[str, Value]:
        """Return the fields of the telemetry event at a time."""

    def alarms(self) -> list[tuple[str, dict[str, Value]]]:
        """Return the events that have happened since the last call, by name."""

    def command(self, name: str, fields: Mapping[str, Value], now: float) -> dict[str, Value]:
        """Carry a command of the device's own out and return the fields of its reply.

        Raises:
            Refusal: The device will not.
        """


class _Base:
    """A device that raises no alarms and has no commands of its own."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - noise, no secret
        self.parameters: dict[str, Value] = {}

    def power_up(self) -> None:
        """Forget nothing."""

    def alarms(self) -> list[tuple[str, dict[str, Value]]]:
        return []

    def command(self, name: str, _fields: Mapping[str, Value], _now: float) -> dict[str, Value]:
        raise Refusal(RefusalCode.UNKNOWN_COMMAND, f"{name} is not for me")

    def _parameter(self, name: str) -> float:
        value = self.parameters[name]
        assert isinstance(value, (int, float))
        return value


class WeatherNode(_Base):
    """Temperature, humidity and pressure on a changeable day."""

    _TEMPERATURE = Swing(21.5, 3.5, 90, 0.03)
    _HUMIDITY = Swing(48, 9, 90, 0.15, phase=0.5)
    _PRESSURE = Swing(1013.2, 1.8, 240, 0.04)
    _LAPSE, _EXPONENT = 2.25577e-5, 5.25588  # of the international standard atmosphere
    _HEATER_WARMS = 2.0

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.parameters = {"altitude": 120, "heater": False}

    def measure(self, now: float) -> dict[str, Value]:
        """Return temperature, humidity and pressure."""
        warmer = self._HEATER_WARMS if self.parameters["heater"] else 0.0
        sea_level = self._PRESSURE.at(now, self._rng)
        return {
            "temperature": self._TEMPERATURE.at(now, self._rng) + warmer,
            "humidity": self._HUMIDITY.at(now, self._rng) - 3 * warmer,
            "pressure": sea_level * (1 - self._LAPSE * self._parameter("altitude")) ** self._EXPONENT,
        }


class MotorController(_Base):
    """A motor with inertia, a brake, a current limit, and a positioner that can be jogged."""

    _INERTIA = 0.8  # seconds
    _IDLE_CURRENT = 0.18  # A
    _TRIP_CURRENT = 5.5  # A
    _TURNS = 50  # rpm above which the rotor counts as turning

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.parameters = {"setpoint": 1200, "load": 30}
        self._speed = Lag(0.0, self._INERTIA)
        self._fault = "none"
        self._alarms: list[tuple[str, dict[str, Value]]] = []
        self._position = self._jogs = 0
        self._commands: dict[str, Callable[[Mapping[str, Value]], dict[str, Value]]] = {
            "clear_fault": self._clear_fault,
            "jog": self._jog,
        }

    def power_up(self) -> None:
        """Take the place where the positioner is as the origin."""
        self._position = self._jogs = 0

    def measure(self, now: float) -> dict[str, Value]:
        """Return speed, set-point, current and fault."""
        setpoint = self._parameter("setpoint")
        speed = self._speed.toward(0.0 if self._fault != "none" else setpoint, now)
        current = self._current(speed, setpoint)
        if current > self._TRIP_CURRENT and self._fault == "none":
            self._fault = "overcurrent"
            self._alarms.append(("tripped", {"fault": self._fault}))
        return {
            "speed": round(speed + self._rng.gauss(0, 2)),
            "setpoint": int(setpoint),
            "current": current,
            "fault": self._fault,
        }

    def _current(self, speed: float, setpoint: float) -> float:
        if self._fault != "none":
            return 0.0
        effort = abs(setpoint - speed) / 3_000 + abs(speed) / 6_000 * (1 + self._parameter("load") / 20)
        return max(0.0, self._IDLE_CURRENT + effort + self._rng.gauss(0, 0.01))

    def alarms(self) -> list[tuple[str, dict[str, Value]]]:
        """Return the trips since the last call."""
        alarms, self._alarms = self._alarms, []
        return alarms

    def command(self, name: str, fields: Mapping[str, Value], now: float) -> dict[str, Value]:
        """Clear a fault, once the rotor stands; jog the positioner."""
        known = self._commands.get(name)
        return super().command(name, fields, now) if known is None else known(fields)

    def _clear_fault(self, _fields: Mapping[str, Value]) -> dict[str, Value]:
        if self._fault != "none" and abs(self._speed.value) > self._TURNS:
            raise Refusal(RefusalCode.BUSY, "the rotor still turns")
        cleared, self._fault = self._fault != "none", "none"
        return {"cleared": cleared}

    def _jog(self, fields: Mapping[str, Value]) -> dict[str, Value]:
        steps = fields["steps"]
        assert isinstance(steps, int)
        self._jogs += 1
        self._position = _wrapped(self._position + steps)
        return {"position": self._position, "jogs": self._jogs}


def _wrapped(position: int) -> int:
    """Return a position as 32 bits count it, round and round."""
    return (position + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


class PowerMeter(_Base):
    """Mains voltage, an appliance that comes and goes, and what it uses."""

    _VOLTAGE = Swing(230.4, 1.6, 75, 0.2)
    _FLICKER = Swing(1.0, 0.06, 11, 0.01)
    _WS_PER_WH = 3_600.0
    _STANDBY = 4.5  # W

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.parameters = {"load": 850}
        self._energy = 0.0  # Wh
        self._measured_at: float | None = None

    def measure(self, now: float) -> dict[str, Value]:
        """Return voltage, current, power and energy."""
        voltage = self._VOLTAGE.at(now, self._rng)
        power = self._STANDBY + self._parameter("load") * self._FLICKER.at(now, self._rng)
        elapsed = 0.0 if self._measured_at is None else now - self._measured_at
        self._measured_at = now
        self._energy += power * elapsed / self._WS_PER_WH
        return {"voltage": voltage, "current": power / voltage, "power": power, "energy": self._energy}

    def command(self, name: str, fields: Mapping[str, Value], now: float) -> dict[str, Value]:
        """Reset the energy counter."""
        if name != "reset_energy":
            return super().command(name, fields, now)
        before, self._energy = self._energy, 0.0
        return {"before": before}


MODELS: dict[str, Callable[[int], Model]] = {
    "weather": WeatherNode,
    "motor": MotorController,
    "power": PowerMeter,
}
"""Model name → a function of the seed that makes one; its schema and its telemetry event bear its name."""


def schema_of(model: str) -> Schema:
    """Return the schema of a model's messages."""
    file = files("firmware_sim").joinpath("schemas", f"{model}.toml")
    return Schema.parse(file.read_text("utf-8"), source=f"{model}.toml")
