"""A real server with one motor on one link, for which a test speaks, and a real page that watches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect

from firmware_sim import schema_of
from framelink.hub import Command, Hub
from framelink.hub.server import HubServer
from framelink.message import STANDARD, Message
from framelink.wire import Frame
from tests.support.browser import BROWSER_DEADLINE, Complaints, new_page

MOTOR = schema_of("motor")
NO_SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"
"""Whether nothing sticks out of the page."""


class Bench:
    """A server with one motor on one link, which a test speaks for."""

    def __init__(self, port: int = 0, *, epoch: str = "e1") -> None:
        self.hub = Hub(epoch=epoch, wall_clock=lambda: time.time_ns() // 1_000_000)
        self.server = self.new_server(port)
        self.commands: list[Command] = []
        self.name = "motor"
        self.schema: str | None = "motor"
        self.schemas = {"motor": MOTOR, "standard": STANDARD}
        self.parameters = {"setpoint": 1000, "load": 30}
        self.frames = 7
        self.noise = {"noise": 5, "length": 0, "tail": 0, "check": 1, "timeout": 0}
        self.publish_link()

    def new_server(self, port: int) -> HubServer:
        """Return a server of the same hub, as after a restart that lost nothing but connections."""
        return HubServer(self.hub, on_command=self._carry_out, describe=self._describe, port=port)

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.server.url.rpartition(":")[2])

    async def _carry_out(self, command: Command) -> dict[str, Any]:
        self.commands.append(command)
        if command.message == "get":
            parameter = command.fields["parameter"]
            return self._reply("get", {"parameter": parameter, "value": self.parameters[parameter]})
        if command.message == "set":
            return self._reply("set", command.fields)
        if command.addr == 0xFF:
            return {"ok": True}
        return {"ok": False, "error": "address 0x02 refused command 0x55: unknown command (code 1)"}

    def _reply(self, message: str, fields: dict[str, Any]) -> dict[str, Any]:
        frame = MOTOR.encode(2, message, fields, kind="reply")
        self.hub.publish_frame("left", frame, message=message, fields=fields)
        about = {"link": "left", "addr": 2, "cmd": frame.cmd, "data": frame.data.hex()}
        return {"ok": True, "message": message, "fields": fields, **about}

    def _describe(self) -> dict[str, Any]:
        return {
            "links": [self.link()],
            "schemas": {name: one.describe() for name, one in self.schemas.items()},
        }

    def link(self, state: str = "connected") -> dict[str, Any]:
        """Return what the link tells."""
        ledger = {"received": 106, "delivered": 100, "noise": self.noise, "pending": 0, "frames": self.frames}
        stats = {"frames_received": 7, "frames_sent": 1, "bytes_received": 106, "bytes_sent": 9}
        more = {"reconnects": 2, "low_latency": True, "last_frame_at": None}
        about = {"addr": 2, "name": self.name, "type": 258, "firmware": "1.0.0", "schema": self.schema}
        return {
            "link": "left", "url": "/dev/ttyUSB0", "state": state, "reason": "unplugged",
            "ledger": ledger, "stats": stats | more, "devices": [about],
        }  # fmt: skip

    def publish_link(self, state: str = "connected") -> None:
        """Tell the link's news."""
        self.hub.publish_link("left", self.link(state))

    def unplug(self) -> None:
        """Lose the line, and what is known of the device."""
        self.hub.publish_link("left", self.link("lost") | {"devices": []})

    def replug(self) -> None:
        """Bring the line back, with a device that has not said yet what it is."""
        self.name, self.schema = "", None
        self.publish_link()

    def identify(self) -> None:
        """Let the device say that it is the motor."""
        self.name, self.schema = "motor", "motor"
        self.publish_link()

    def publish(self, speed: int, *, fault: str = "none") -> None:
        """Let the motor report."""
        self._publish_event("motor", {"speed": speed, "setpoint": 1000, "current": 0.5, "fault": fault})

    def trip(self) -> None:
        """Let the motor tell of a fault."""
        self._publish_event("tripped", {"fault": "overcurrent"})

    def publish_bytes(self, addr: int, cmd: int, data: bytes) -> None:
        """Let a device speak that no schema explains."""
        self.hub.publish_frame("left", Frame(addr, cmd, data))

    def _publish_event(self, name: str, fields: dict[str, Any]) -> None:
        message = MOTOR.decode(MOTOR.encode(2, name, fields, kind="event"))
        assert isinstance(message, Message)
        self.hub.publish_frame("left", message.frame, message=message.name, fields=message.fields)


async def live(page: Page) -> None:
    """Wait until the page is connected and has its devices."""
    await expect(page.locator("#connection")).to_have_attribute(
        "data-state", "connected", timeout=BROWSER_DEADLINE
    )
    await expect(page.locator(".device .compose").first).to_be_attached(timeout=BROWSER_DEADLINE)
    await expect(page.locator('[data-field="speed"]').first).to_be_attached(timeout=BROWSER_DEADLINE)


DRAWN = """() => {
    const shown = document.querySelector(".plot canvas");
    const canvas = new OffscreenCanvas(shown.width, shown.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(shown, 0, 0);
    const wanted = getComputedStyle(document.documentElement).getPropertyValue("--line-1").trim();
    const number = parseInt(wanted.slice(1), 16);
    const [r, g, b] = [number >> 16, (number >> 8) & 255, number & 255];
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
        const away = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b);
        if (away < 40 && data[i + 3] > 100) count += 1;
    }
    return count > 50;
}"""
"""Whether the first plot has pixels in the colour of its first line."""


async def until_drawn(page: Page) -> None:
    """Wait until the first plot shows its line in the theme's colour."""
    await page.wait_for_function(DRAWN)


async def curve(bench: Bench) -> None:
    """Let the motor report for a while, so that there is a curve."""
    for n in range(20):
        bench.publish(1000 + 100 * (n % 2))
        await asyncio.sleep(0.01)  # the time between points, which the curve is made of


@asynccontextmanager
async def watching(
    browser: Browser, bench: Bench, *, width: int = 1280, scheme: str = "light", ignoring: str = "\0"
) -> AsyncIterator[Page]:
    """Open the page; whatever it complains of on its console fails the test, which includes the policy."""
    page = await new_page(browser, bench.server.url, width=width, scheme=scheme)
    complaints = Complaints(page, ignoring=ignoring)
    await page.reload()  # from here on nothing is missed
    await live(page)
    yield page
    assert not complaints.heard, f"the page complained: {complaints.heard}"
    await page.context.close()
