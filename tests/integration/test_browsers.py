"""Real browsers on a real bridge: one stalled among three, a command's effect, the bridge's restart."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from playwright.async_api import Page, expect

from firmware_sim import DeviceEntry, PortEntry, Scenario, Simulation, schema_of
from framelink.bridge import Bridge, BridgeConfig, LinkConfig
from tests.support.browser import BROWSER_DEADLINE, Complaints, chromium, new_page
from tests.support.pty_device import DEADLINE


@asynccontextmanager
async def demo(port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run `framelink demo` as a user would; give its process and the page's URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "framelink", "demo", "--no-browser", "--listen", f"127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), DEADLINE)
        assert line.startswith(b"dashboard: http://")
        yield process, line.split()[1].decode()
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), DEADLINE)


async def live(page: Page) -> None:
    """Wait until all three devices show values."""
    await expect(page.locator("#connection-text")).to_have_text("live", timeout=BROWSER_DEADLINE)
    await expect(page.locator(".device")).to_have_count(3, timeout=BROWSER_DEADLINE)
    for field in ("temperature", "speed", "voltage"):
        await expect(page.locator(f'[data-field="{field}"] .value')).not_to_have_text(
            "–", timeout=BROWSER_DEADLINE
        )


async def test_the_demo_shows_three_devices_takes_a_command_and_survives_a_restart() -> None:
    """What a stranger sees in the first two minutes."""
    async with chromium() as browser:
        async with demo() as (_first, url):
            page = await new_page(browser, url)
            complaints = Complaints(page)
            await live(page)
            await page.select_option("#command-device", "motor/2")
            await page.select_option("#command-name", "set")
            await page.select_option("#command-fields select", "setpoint")
            await page.fill("#command-fields input", "0")
            await page.click("#command button[type=submit]")
            await expect(page.locator("#command-reply")).to_contain_text("value=0")
            await expect(page.locator('[data-field="setpoint"] .value')).to_have_text("0")
            assert complaints.heard == []
        await expect(page.locator("#connection-text")).to_contain_text("reconnecting in")
        async with demo(int(url.rpartition(":")[2])) as (second, _url):
            await live(page)
            await expect(page.locator('[data-field="setpoint"] .value')).to_have_text("1200")
        assert second.returncode == 0


async def test_one_stalled_browser_of_three_holds_up_nobody(tmp_path: Path) -> None:
    """A page that hangs in its debugger costs the others nothing, and is live again when it runs on."""
    device = DeviceEntry(model="motor", addr=1, period=10)
    scenario = Scenario(port=[PortEntry(name="bench", device=[device])])
    async with Simulation(scenario, link=tmp_path / "dev") as simulation:
        link = LinkConfig("bench", simulation.urls["bench"], schemas=(schema_of("motor"),))
        async with Bridge(BridgeConfig((link,), port=0)) as bridge, chromium() as browser:
            pages = [await new_page(browser, bridge.url) for _ in range(3)]
            for page in pages:
                await expect(page.locator('[data-field="speed"] .value')).not_to_have_text("–")
            stalled, *others = pages
            debugger = await stalled.context.new_cdp_session(stalled)
            hangs = asyncio.Event()
            debugger.on("Debugger.paused", lambda _event: hangs.set())
            await debugger.send("Debugger.enable")
            await debugger.send("Debugger.pause")
            await asyncio.wait_for(hangs.wait(), DEADLINE)
            await asyncio.gather(*[shows_more(page, 200) for page in others])
            await debugger.send("Debugger.resume")
            await debugger.detach()
            await shows_more(stalled, 1)
            async with aiohttp.ClientSession(bridge.url) as http:
                health = await (await http.get("/healthz")).json()
            assert health["clients"] == 3


async def shows_more(page: Page, frames: int) -> None:
    """Wait until the page says that its link has had so many more frames."""
    shown = "Number(document.querySelector('.link .figures dd').textContent.replace(',', ''))"
    before = await page.evaluate(shown)
    await page.wait_for_function(f"(least) => {shown} >= least", arg=before + frames)
