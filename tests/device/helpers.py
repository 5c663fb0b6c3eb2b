"""A simulated device on a line in memory that loses what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from firmware_sim import MODELS, SimulatedDevice, schema_of
from framelink.device import AsyncDevice
from framelink.link import Lane
from framelink.wire import Frame, Receiver, encode
from tests.support.fake_line import FakeLine

MOTOR = schema_of("motor")
WEATHER = schema_of("weather")


class SimLine(FakeLine):
    """A line with one simulated device.

    Args:
        model: Which; at address 1.
        deaf: The sendings, counted from 1, that do not reach the device.
        mute: The sendings whose answers do not reach the host.
        slow: Seconds that the answer to a sending takes.
    """

    def __init__(
        self,
        model: str = "motor",
        *,
        deaf: Collection[int] = (),
        mute: Collection[int] = (),
        slow: dict[int, float] | None = None,
    ) -> None:
        super().__init__()
        schema = schema_of(model)
        self.sim = SimulatedDevice(model, 1, schema, MODELS[model](1), telemetry=model)
        self.deaf, self.mute, self.slow = deaf, mute, slow or {}

    @property
    def cmds(self) -> list[int]:
        """The commands of what was sent."""
        return [frame.cmd for frame in self.sent]

    async def send(self, frame: Frame, timeout: float | None = 0.0, *, lane: Lane = Lane.NORMAL) -> None:
        """Give the device a frame, unless it is lost."""
        await super().send(frame, timeout, lane=lane)
        sending = len(self.sent)
        if sending in self.deaf:
            return
        loop = asyncio.get_running_loop()
        for answer in Receiver().feed(b"".join(self.sim.feed(encode(frame), loop.time()))):
            if sending not in self.mute:
                loop.call_later(self.slow.get(sending, 0.001), self.deliver, answer)


def motor_on(line: SimLine) -> AsyncDevice:
    """Return the host's view of a motor on a line."""
    return AsyncDevice(line, 1, MOTOR)


async def settle() -> None:
    """Let all tasks go as far as they can."""
    for _turn in range(10):
        await asyncio.sleep(0)
