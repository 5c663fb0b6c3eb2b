"""The page and its connection: heartbeats, the server's restart, what was missed."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.dashboard.bench import Bench, live, watching

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's

REFUSED = "ERR_CONNECTION_REFUSED"  # what a browser writes on its console when a server is away
SPEED = '[data-field="speed"] dd'

NOTE_STATES = """() => {
    const light = document.getElementById("connection");
    window.states = [];
    new MutationObserver(() => states.push([light.dataset.state, light.innerText]))
        .observe(light, { attributes: true });
}"""


async def test_two_unanswered_heartbeats_make_the_page_reconnect_and_say_so(bench: Bench, page: Page) -> None:
    """The first connection swallows heartbeats; at the third 30 s the page takes a new one, and is live again."""
    connections: list[list[str]] = []

    def swallow(browser_side: WebSocketRoute) -> None:
        heartbeats: list[str] = []
        connections.append(heartbeats)
        server_side = browser_side.connect_to_server()
        deaf = len(connections) == 1

        def pass_on(message: str | bytes) -> None:
            if "HEARTBEAT" in str(message):
                heartbeats.append(str(message))
                if deaf:
                    return
            server_side.send(message)

        browser_side.on_message(pass_on)

    await page.route_web_socket("**/ws", swallow)
    await page.clock.install()
    await page.reload()
    await live(page)
    await page.evaluate(NOTE_STATES)
    for beats in (1, 2):
        await page.clock.fast_forward(30_000)
        await expect(page.locator("#connection-text")).to_have_text("live")
        assert len(connections[0]) == beats
    await page.clock.fast_forward(30_000)
    await page.wait_for_function("() => states.some(([state]) => state === 'connected')")
    states = await page.evaluate("states")
    assert [state for state, _text in states] == ["waiting", "connecting", "connected"]
    assert len(connections) == 2
    bench.publish(7)
    await expect(page.locator(SPEED)).to_have_text("7 rpm")
    for _ in range(4):
        await page.clock.fast_forward(30_000)
    await expect(page.locator("#connection-text")).to_have_text("live")
    assert len(connections) == 2


async def test_the_page_survives_the_servers_restart(bench: Bench, browser: Browser) -> None:
    """It counts down, offers to try at once, and is live again by itself, with its rooms."""
    async with watching(browser, bench, ignoring=REFUSED) as page:
        port = bench.port
        await bench.server.stop()
        await expect(page.locator("#connection-text")).to_contain_text("reconnecting in")
        await expect(page.locator("#connection")).to_have_attribute("data-state", "waiting")
        await expect(page.locator("#command-send")).to_be_disabled()
        again = Bench(port, epoch="e2")
        await again.server.start()
        await live(page)
        await expect(page.locator(".toast")).to_contain_text("The bridge was restarted")
        await expect(page.locator("#retry")).to_be_hidden()
        await expect(page.locator("#command-send")).to_be_enabled()
        again.publish(4321)
        await expect(page.locator(SPEED)).to_have_text("4321 rpm")
        await again.server.stop()


async def test_what_was_missed_while_the_connection_was_away_is_told(bench: Bench, browser: Browser) -> None:
    """In a note and in the log, when the bridge itself went on."""
    async with watching(browser, bench, ignoring=REFUSED) as page:
        bench.publish(1)
        await expect(page.locator(SPEED)).to_have_text("1 rpm")
        port = bench.port
        await bench.server.stop()
        await expect(page.locator("#retry")).to_be_visible()
        for n in range(5):
            bench.publish(n)
        bench.server = bench.new_server(port)
        await bench.server.start()
        await live(page)
        await expect(page.locator(".toast")).to_contain_text("5 frames were missed")
        await expect(page.locator("#log .gap")).to_contain_text("5 frames were missed")
        await page.click(".toast button")
        await expect(page.locator(".toast")).to_have_count(0)


async def test_links_that_are_gone_after_a_restart_leave_the_page(bench: Bench, browser: Browser) -> None:
    """With their devices, and from the command form."""
    async with watching(browser, bench, ignoring=REFUSED) as page:
        bench.hub.publish_link("right", bench.link() | {"link": "right"})
        await expect(page.locator(".link")).to_have_count(2)
        await expect(page.locator(".device")).to_have_count(2)
        await expect(page.locator("#command-device option")).to_have_count(4)
        port = bench.port
        await bench.server.stop()
        again = Bench(port, epoch="e2")
        await again.server.start()
        await expect(page.locator(".link")).to_have_count(1)
        await expect(page.locator(".device")).to_have_count(1)
        await expect(page.locator("#command-device option")).to_have_count(2)
        await again.server.stop()
