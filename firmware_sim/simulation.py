"""Simulation: runs a scenario's devices on virtual serial ports."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import zlib
from pathlib import Path
from typing import Self

from firmware_sim.device import DEFAULT_BAUDRATE, SimulatedDevice
from firmware_sim.faults import Direction, Wire
from firmware_sim.generic import GenericModel
from firmware_sim.memory_port import MemoryPort
from firmware_sim.models import MODELS, Model, schema_of
from firmware_sim.ports import VirtualPort
from firmware_sim.pty_port import PtyPort
from firmware_sim.scenario import Action, DeviceEntry, PortEntry, Scenario
from firmware_sim.tcp_port import TcpPort
from framelink.errors import ConfigError
from framelink.message import Schema

_log = logging.getLogger("firmware_sim")


class Simulation:
    """A running scenario; use it as an async context manager.

    Args:
        scenario: What to run.
        link: A stable name for its pty: the first port has it, the others have it with `-NAME` behind.
    """

    def __init__(self, scenario: Scenario, *, link: Path | None = None) -> None:
        self.scenario = scenario
        self._lines = {
            entry.name: _Line(entry, scenario.seed, _named(link, entry.name, index))
            for index, entry in enumerate(scenario.port)
        }

    @property
    def urls(self) -> dict[str, str]:
        """Port name → what a link opens."""
        return {name: line.port.url for name, line in self._lines.items()}

    def port(self, name: str) -> VirtualPort:
        """Return a port by name."""
        return self._lines[name].port

    def devices(self, name: str) -> list[SimulatedDevice]:
        """Return the devices on a port."""
        return self._lines[name].devices

    async def __aenter__(self) -> Self:
        try:
            for line in self._lines.values():
                await line.open()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Take all ports away."""
        for line in self._lines.values():
            line.close()

    def unplug(self, name: str) -> None:
        """Pull a port's cable."""
        self._lines[name].unplug()

    async def replug(self, name: str) -> None:
        """Plug a port's cable in again."""
        await self._lines[name].replug()

    def reboot(self, name: str, *, in_mid_frame: bool = False) -> None:
        """Restart a port's devices, if wanted in the middle of the frame that they are sending."""
        self._lines[name].reboot(in_mid_frame=in_mid_frame)


class _Line:
    """A port, the devices on it, and the two directions between them.

    The time of wires and devices is in seconds after the start, so that signals do the same again.
    """

    def __init__(self, entry: PortEntry, seed: int, link: Path | None) -> None:
        self.port = _make_port(entry, link)
        self.devices = [_make_device(one, seed, _pace(entry)) for one in entry.device]
        self._entry = entry
        self._seed = seed ^ zlib.crc32(entry.name.encode())
        self._plugged = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._started: float
        self._to_host: Wire
        self._to_device: Wire
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._to_host, self._to_device = self._wire("to_host"), self._wire("to_device")
        for device in self.devices:
            device.reboot(0.0)
        await self.port.open(self._from_host)
        self._plugged = True
        self._task = self._loop.create_task(self._play_events())
        self._step()

    def _wire(self, direction: Direction) -> Wire:
        return Wire(self._entry.fault, direction, seed=self._seed)

    def _now(self) -> float:
        return self._loop.time() - self._started

    def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        self._cancel_timer()
        self._plugged = False
        self.port.close()

    def unplug(self) -> None:
        self._plugged = False
        self._to_host.clear()
        self._to_device.clear()
        self.port.unplug()

    async def replug(self) -> None:
        await self.port.replug()
        self._plugged = True
        self._step()

    def reboot(self, *, in_mid_frame: bool) -> None:
        now = self._now()
        if in_mid_frame:
            self._stop_in_mid_frame(now)
        for device in self.devices:
            device.reboot(now)
        self._step()

    def _stop_in_mid_frame(self, now: float) -> None:
        """Put half of what the devices report on the line; of silent ones, half of what they were sending."""
        frames = [frame for device in self.devices for frame in device.report(now)]
        if frames:
            self._send([frame[: len(frame) // 2] for frame in frames], now)
        else:
            self._to_host.cut()

    async def _play_events(self) -> None:
        for event in sorted(self._entry.event, key=lambda one: one.at):
            await asyncio.sleep(event.at - self._now())
            try:
                await self._play(event.action)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the simulation goes on
                _log.warning("port %s: %s failed: %s", self._entry.name, event.action, error)

    async def _play(self, action: Action) -> None:
        if action == "unplug":
            self.unplug()
        elif action == "replug":
            await self.replug()
        else:
            self.reboot(in_mid_frame=action == "cut_reboot")

    def _from_host(self, data: bytes) -> None:
        lost = self._to_device.send(data, self._now())
        for device in self.devices:
            device.overrun(lost)
        self._step()

    def _step(self, due: float = 0.0) -> None:
        """Do all that is due now, and come back when more is."""
        if self._closed:
            return
        now = max(due, self._now())  # what the timer was set for is due, whatever rounding says
        for piece in self._to_device.take(now):
            for device in self.devices:
                self._send(device.feed(piece, now), now)
        for device in self.devices:
            if device.next_due <= now:
                self._send(device.tick(now), now)
        for piece in self._to_host.take(now):
            if self._plugged:
                self.port.write(piece)
        self._come_back()

    def _send(self, frames: list[bytes], now: float) -> None:
        for frame in frames:
            self._to_host.send(frame, now)

    def _come_back(self) -> None:
        self._cancel_timer()
        due = min(self._to_host.next_due, self._to_device.next_due, *[one.next_due for one in self.devices])
        if due < math.inf:
            self._timer = self._loop.call_at(self._started + due, self._step, due)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _named(link: Path | None, name: str, index: int) -> Path | None:
    return link.with_name(f"{link.name}-{name}") if link is not None and index > 0 else link


def _make_port(entry: PortEntry, link: Path | None) -> VirtualPort:
    kind = entry.kind or ("pty" if hasattr(os, "openpty") else "tcp")
    if link is not None and kind != "pty":
        raise ConfigError(f"port {entry.name!r} is of kind {kind} and has no path; only a pty takes a name")
    if kind == "pty":
        return PtyPort(link)
    return TcpPort() if kind == "tcp" else MemoryPort(entry.name)


def _pace(entry: PortEntry) -> int:
    """Return the symbols per second at which the devices hear a port's line when it is slowest."""
    paces = (one.baudrate for one in entry.fault if one.baudrate and one.direction != "to_host")
    return min(paces, default=DEFAULT_BAUDRATE)


def _make_device(entry: DeviceEntry, seed: int, baudrate: int) -> SimulatedDevice:
    schema, model, telemetry = _behaviour(entry, seed ^ entry.addr)
    return SimulatedDevice(
        entry.name or entry.model or schema.name,
        entry.addr,
        schema,
        model,
        telemetry=telemetry,
        period=entry.period,
        firmware=entry.firmware,
        format=schema.frame_format,
        baudrate=baudrate,
        storage=entry.storage,
    )


def _behaviour(entry: DeviceEntry, seed: int) -> tuple[Schema, Model, str]:
    """Return a device's messages, what it does, and the name of the event that it reports with."""
    if not entry.schema:
        return schema_of(entry.model), MODELS[entry.model](seed), entry.model
    schema = Schema.load(entry.schema)
    generic = GenericModel(schema)
    return schema, generic, generic.telemetry
