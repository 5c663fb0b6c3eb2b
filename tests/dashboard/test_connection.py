"""The page and its connection: heartbeats, the server's restart, what was missed."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.dashboard.bench import NO_SIDEWAYS, Bench, curve, live, until_drawn, watching

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


@pytest.mark.parametrize("width", [390, 320])
async def test_a_phone_has_room_for_the_news_in_the_bar(bench: Bench, browser: Browser, width: int) -> None:
    """What was skipped, and the way to try again at once."""
    async with watching(browser, bench, width=width, ignoring=REFUSED) as page:
        for n in range(2_234):
            bench.publish(n)
        await expect(page.locator("#gap")).to_have_text("1,234 frames skipped")
        assert await page.evaluate(NO_SIDEWAYS)
        await bench.server.stop()
        await expect(page.locator("#retry")).to_be_visible()
        assert await page.evaluate(
            f"document.getElementById('connection-text').innerText = 'reconnecting in 15 s', {NO_SIDEWAYS}"
        )


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


KEPT = """() => {
    const canvas = document.querySelector(".plot canvas");
    return canvas.dataset.mark === "kept" && document.querySelector(".parameters").open;
}"""
MARK = "document.querySelector('.plot canvas').dataset.mark = 'kept'"


async def lived(page: Page, bench: Bench) -> None:
    """Let the page have a curve, and parameters that were looked at."""
    await curve(bench)
    await until_drawn(page)
    await page.click(".parameters summary")
    await expect(page.locator(".parameter .value")).to_have_text(["1000 rpm", "30 %"])
    await page.evaluate(MARK)


async def test_a_new_connection_leaves_curves_and_parameters_as_they_are(
    bench: Bench, browser: Browser
) -> None:
    """The bridge tells the schemas again, and they are the same."""
    async with watching(browser, bench, ignoring=REFUSED) as page:
        await lived(page, bench)
        port = bench.port
        await bench.server.stop()
        await expect(page.locator("#retry")).to_be_visible()
        bench.server = bench.new_server(port)
        async with page.expect_response("**/api/schemas"):
            await bench.server.start()
        bench.publish(4321)
        await expect(page.locator(SPEED)).to_have_text("4321 rpm")
        assert await page.evaluate(KEPT)
        await until_drawn(page)
        await expect(page.locator(".parameter .value")).to_have_text(["1000 rpm", "30 %"])


async def test_a_device_that_was_unplugged_keeps_its_card(bench: Bench, page: Page) -> None:
    """Also while it has not said yet what it is; its parameters are read again, as it may have been reset."""
    await lived(page, bench)
    await page.select_option("#command-name", "set")
    await page.fill("#command-fields input", "12")
    bench.unplug()
    await expect(page.locator(".link .state")).to_have_text("lost")
    bench.replug()
    bench.publish_bytes(2, 0x20, b"\x01")
    await expect(page.locator(".device .bytes dd")).to_have_text("01")
    assert await page.evaluate(KEPT)
    bench.parameters["load"] = 31
    bench.identify()
    await expect(page.locator(".parameter .value")).to_have_text(["1000 rpm", "31 %"])
    await expect(page.locator(".device .bytes dd")).to_have_count(0)
    assert await page.evaluate(KEPT)
    await until_drawn(page)
    await expect(page.locator("#command-fields input")).to_have_value("12")


async def test_another_device_in_its_place_gets_a_card_of_its_own_kind(bench: Bench, page: Page) -> None:
    """The old one's values would be lies."""
    await lived(page, bench)
    bench.unplug()
    bench.name, bench.schema = "someone", "standard"
    bench.publish_link()
    await expect(page.locator(".device h3")).to_have_text("someone")
    await expect(page.locator(".device .tile")).to_have_count(0)
    await expect(page.locator(".plot")).to_have_count(0)


async def test_a_page_that_is_cut_off_does_not_know_how_the_links_are(bench: Bench, browser: Browser) -> None:
    """No green light, no rate; the counters stay as they were last."""
    async with watching(browser, bench, ignoring=REFUSED) as page:
        port = bench.port
        await bench.server.stop()
        await expect(page.locator(".link .state")).to_have_text("unknown")
        await expect(page.locator(".link")).to_have_attribute("data-state", "unknown")
        await expect(page.locator(".link .figures dd")).to_have_text(["7", "–", "1", "2"])
        bench.server = bench.new_server(port)
        await bench.server.start()
        await expect(page.locator(".link")).to_have_attribute("data-state", "connected")
        await expect(page.locator(".link .figures dd")).to_have_text(["7", "0.0/s", "1", "2"])


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
