"""The page in a real browser, fed by a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from firmware_sim import schema_of
from framelink.hub import Command, Hub
from framelink.hub.server import HubServer
from framelink.message import STANDARD, Message
from framelink.wire import Frame
from tests.support.browser import BROWSER_DEADLINE, Complaints, chromium, new_page

MOTOR = schema_of("motor")
NASTY = "<img src=x onerror=\"document.title='owned'\"><b>motor</b>"


class Bench:
    """A server with one motor on one link, which a test speaks for."""

    def __init__(self, port: int = 0) -> None:
        self.hub = Hub(epoch="e1", wall_clock=lambda: time.time_ns() // 1_000_000)
        self.server = HubServer(self.hub, on_command=self._carry_out, describe=self._describe, port=port)
        self.commands: list[Command] = []
        self.name = "motor"
        self.publish_link()

    async def _carry_out(self, command: Command) -> dict[str, Any]:
        self.commands.append(command)
        if command.message == "set":
            return {"ok": True, "message": "set", "fields": command.fields}
        return {"ok": False, "error": "address 0x02 refused command 0x55: unknown command (code 1)"}

    def _describe(self) -> dict[str, Any]:
        return {
            "links": [self.link()],
            "schemas": {"motor": MOTOR.describe(), "standard": STANDARD.describe()},
        }

    def link(self, state: str = "connected") -> dict[str, Any]:
        """Return what the link tells."""
        noise = {"noise": 5, "length": 0, "tail": 0, "check": 1, "timeout": 0}
        ledger = {"received": 106, "delivered": 100, "noise": noise, "pending": 0, "frames": 7}
        stats = {"frames_received": 7, "frames_sent": 1, "bytes_received": 106, "bytes_sent": 9}
        more = {"reconnects": 2, "low_latency": None, "last_frame_at": None}
        about = {"addr": 2, "name": self.name, "type": 258, "firmware": "1.0.0", "schema": "motor"}
        return {
            "link": "left", "url": "/dev/ttyUSB0", "state": state, "reason": "unplugged",
            "ledger": ledger, "stats": stats | more, "devices": [about],
        }  # fmt: skip

    def publish_link(self, state: str = "connected") -> None:
        """Tell the link's news."""
        self.hub.publish_link("left", self.link(state))

    def publish(self, speed: int, *, fault: str = "none") -> None:
        """Let the motor report."""
        fields = {"speed": speed, "setpoint": 1000, "current": 0.5, "fault": fault}
        frame = MOTOR.encode(2, "motor", fields, kind="event")
        message = MOTOR.decode(frame)
        assert isinstance(message, Message)
        self.hub.publish_frame("left", frame, message=message.name, fields=message.fields)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A bench that is served."""
    one = Bench()
    await one.server.start()
    yield one
    await one.server.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser."""
    async with chromium() as one:
        yield one


async def live(page: Page) -> None:
    """Wait until the page is connected and has its devices."""
    await expect(page.locator("#connection")).to_have_attribute(
        "data-state", "connected", timeout=BROWSER_DEADLINE
    )
    await expect(page.locator(".device")).to_have_count(1, timeout=BROWSER_DEADLINE)


async def test_the_page_shows_links_devices_values_plots_and_frames(bench: Bench, browser: Browser) -> None:
    """Live, with units, in both colour schemes and on a phone, with no complaint and nothing sticking out."""
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = await new_page(browser, bench.server.url, width=width, scheme=scheme)
        complaints = Complaints(page)
        await page.reload()
        await live(page)
        await expect(page.locator(".device h3")).to_have_text("motor")
        await expect(page.locator(".device .subtitle")).to_contain_text("addr 0x02 · firmware 1.0.0")
        for n in range(30):
            bench.publish(1000 + n)
        await expect(page.locator('[data-field="speed"] dd')).to_have_text("1029 rpm")
        await expect(page.locator('[data-field="current"] dd')).to_have_text("0.500 A")
        await expect(page.locator('[data-field="fault"] dd')).to_have_text("none")
        await expect(page.locator("#log li")).to_have_count(30)
        await expect(page.locator("#log li").first).to_contain_text("speed=1029")
        await expect(page.locator(".link .legend")).to_have_text("delivered 100 B · noise 5 B · check 1 B")
        await expect(page.locator(".plot canvas")).to_have_count(2)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints.heard == []
        await page.context.close()


DRAWN = """() => {
    const canvas = document.querySelector(".plot canvas");
    const context = canvas.getContext("2d");
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


async def test_a_plot_draws_its_line(bench: Bench, browser: Browser) -> None:
    """In the theme's colour, and again in the other theme's after the button."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    for n in range(20):
        bench.publish(1000 + 100 * (n % 2))
        await asyncio.sleep(0.01)
    await expect(page.locator('[data-field="speed"] dd')).to_have_text("1100 rpm")
    await until_drawn(page)
    await page.click("#theme")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await until_drawn(page)
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_the_log_filters_pauses_and_clears(bench: Bench, browser: Browser) -> None:
    """A filter also finds what came before it; a pause loses nothing."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    for n in range(10):
        bench.publish(n, fault="stalled" if n == 3 else "none")
    rows = page.locator("#log li")
    await expect(rows).to_have_count(10)
    await page.fill("#log-filter", "fault=stalled")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("speed=3")
    await page.fill("#log-filter", "")
    await expect(rows).to_have_count(10)
    await page.click("#log-pause")
    bench.publish(77)
    await expect(page.locator('[data-field="speed"] dd')).to_have_text("77 rpm")
    await expect(rows).to_have_count(10)
    await page.click("#log-pause")
    await expect(rows).to_have_count(11)
    await page.click("#log-clear")
    await expect(rows).to_have_count(0)


async def test_the_log_is_bounded(bench: Bench, browser: Browser) -> None:
    """Old rows leave the page."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    for n in range(900):
        bench.publish(n)
        if n % 100 == 0:
            await asyncio.sleep(0.02)
    await expect(page.locator('[data-field="speed"] dd')).to_have_text("899 rpm")
    await expect(page.locator("#log li")).to_have_count(300)
    await expect(page.locator("#log li").first).to_contain_text("speed=899")


async def test_a_command_by_its_fields_shows_its_reply(bench: Bench, browser: Browser) -> None:
    """The form knows the device's parameters, their units and ranges; refusals are shown as such."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    await page.select_option("#command-name", "set")
    await page.select_option("#command-fields select", "setpoint")
    await expect(page.locator("#command-fields small")).to_have_text(
        "rpm · -6000 to 6000 · The speed to reach"
    )
    await page.fill("#command-fields input", "1500")
    await page.click("#command button[type=submit]")
    await expect(page.locator("#command-reply")).to_contain_text("set  parameter=setpoint  value=1500")
    assert bench.commands[-1].fields == {"parameter": "setpoint", "value": 1500}
    assert (bench.commands[-1].link, bench.commands[-1].addr) == ("left", 2)
    await page.fill("#command-fields input", "fast")
    await page.click("#command button[type=submit]")
    await expect(page.locator("#command-reply")).to_have_text("value must be a number")
    await page.select_option("#command-name", "raw")
    await page.fill('#command-fields label:has-text("cmd") input', "0x55")
    await page.fill('#command-fields label:has-text("data") input', "01 02")
    await page.click("#command button[type=submit]")
    await expect(page.locator("#command-reply")).to_contain_text("refused command 0x55")
    assert (bench.commands[-1].cmd, bench.commands[-1].data) == (0x55, b"\x01\x02")
    await page.select_option("#command-device", "left/")
    await page.fill("#command-addr", "9")
    await page.click("#command button[type=submit]")
    await expect(page.locator("#command-reply")).to_have_attribute("data-state", "failed")


async def test_a_gap_is_shown(bench: Bench, browser: Browser) -> None:
    """In the bar and in the log."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    (session,) = bench.hub.sessions
    session.outbox._gap = (12, 1, 12)
    bench.publish(1)
    await expect(page.locator("#gap")).to_have_text("12 frames skipped")
    await expect(page.locator("#log .gap")).to_contain_text("12 frames were not shown")


async def test_names_and_values_from_devices_are_never_markup(bench: Bench, browser: Browser) -> None:
    """A device that calls itself a script is shown as text."""
    bench.name = NASTY
    bench.publish_link()
    page = await new_page(browser, bench.server.url)
    complaints = Complaints(page)
    await live(page)
    bench.hub.publish_frame("left", Frame(2, 0x33), message=NASTY, fields={NASTY: NASTY})
    await expect(page.locator(".device h3")).to_have_text(NASTY)
    await expect(page.locator("#log li")).to_contain_text(NASTY)
    assert await page.locator("main img").count() == 0
    assert await page.title() == "framelink"
    assert complaints.heard == []


async def test_the_page_survives_the_servers_restart(bench: Bench, browser: Browser) -> None:
    """It says that it is reconnecting, and is live again by itself, with its rooms."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    port = int(bench.server.url.rpartition(":")[2])
    await bench.server.stop()
    await expect(page.locator("#connection-text")).to_contain_text("reconnecting in")
    again = Bench(port)
    await again.server.start()
    await live(page)
    again.publish(4321)
    await expect(page.locator('[data-field="speed"] dd')).to_have_text("4321 rpm")
    await again.server.stop()


async def test_a_link_that_is_lost_shows_why(bench: Bench, browser: Browser) -> None:
    """And when it is back."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    bench.publish_link("lost")
    await expect(page.locator(".link .state")).to_have_text("lost")
    await expect(page.locator(".link .reason")).to_have_text("unplugged")
    bench.publish_link("connected")
    await expect(page.locator(".link .reason")).to_have_text("")


async def test_old_values_are_greyed(bench: Bench, browser: Browser) -> None:
    """A device that has not spoken is stale; the next frame makes it fresh."""
    page = await new_page(browser, bench.server.url)
    await live(page)
    await expect(page.locator(".device.stale")).to_have_count(1)
    bench.publish(5)
    await expect(page.locator(".device.stale")).to_have_count(0)
