"""What the page shows, in a real browser, fed by a real server."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from framelink.message import Schema
from framelink.wire import Frame
from tests.dashboard.bench import NO_SIDEWAYS, Bench, curve, live, until_drawn, watching

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's

ODD = """
device = { name = "motor", standard = false }
event = [
    { id = 0x20, name = "motor", fields = [{ name = "speed", type = "u8" }] },
    { id = 0x90, name = "tick", fields = [{ name = "count", type = "u8" }] },
]
"""
NASTY = "<img src=x onerror=\"document.title='owned'\"><b>motor</b>"
SPEED = '[data-field="speed"] dd'
LINES = """all => all.map((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return range.getClientRects().length;
})"""
"""In how many lines each element's text is."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_desktop_shows_links_devices_values_plots_and_frames(
    bench: Bench, browser: Browser, scheme: str
) -> None:
    """All at once, with units, in both colour schemes."""
    async with watching(browser, bench, scheme=scheme) as page:
        assert await page.evaluate("document.documentElement.dataset.theme") == scheme
        for n in range(30):
            bench.publish(1000 + n)
        await expect(page.locator(".device h3")).to_have_text("motor")
        await expect(page.locator(".device .subtitle")).to_contain_text("addr 0x02 · firmware 1.0.0")
        await expect(page.locator(SPEED)).to_have_text("1029 rpm")
        await expect(page.locator('[data-field="current"] dd')).to_have_text("0.500 A")
        await expect(page.locator('[data-field="fault"] dd')).to_have_text("none")
        await expect(page.locator("#log li")).to_have_count(30)
        await expect(page.locator("#log li").first).to_contain_text("speed=1029")
        await expect(page.locator("#log li").first).to_contain_text("05 04 e8 03 f4 01 00")
        await expect(page.locator(".plot canvas")).to_have_count(2)
        assert await page.evaluate(NO_SIDEWAYS)


@pytest.mark.parametrize("width", [390, 320])
async def test_a_phone_shows_a_section_at_a_time_and_nothing_sticks_out(
    bench: Bench, browser: Browser, width: int
) -> None:
    """The bar at the bottom goes through them; a device's button leads to its command."""
    async with watching(browser, bench, width=width, scheme="dark") as page:
        bench.publish(1234)
        await expect(page.locator(SPEED)).to_have_text("1234 rpm")
        for tab, shown in (
            ("frames", "#log"),
            ("command", "#command"),
            ("links", ".link"),
            ("devices", ".device"),
        ):
            await page.click(f'#tabs [data-tab="{tab}"]')
            for selector in ("#log", "#command", ".link", ".device"):
                await expect(page.locator(selector)).to_be_visible(visible=selector == shown)
            assert await page.evaluate(NO_SIDEWAYS)
        assert set(await page.locator("#window button").evaluate_all(LINES)) == {1}
        await page.click(".device .compose")
        await expect(page.locator("#command-device")).to_be_visible()
        await expect(page.locator("#command-device")).to_have_value("left/2")


async def test_a_link_shows_its_figures_and_where_every_byte_went(bench: Bench, page: Page) -> None:
    """Delivered and noise by reason, in numbers and as a bar; reasons that never happened are left out."""
    link = page.locator(".link")
    legend = link.locator(".legend .entry:visible")
    await expect(legend).to_have_text(["delivered 100 B", "noise 5 B", "check 1 B"])
    await expect(link.locator(".ledger")).to_have_attribute(
        "aria-label", "delivered 100 B, noise 5 B, check 1 B"
    )
    await expect(link.locator(".url")).to_have_text("/dev/ttyUSB0 · low latency")
    await expect(link.locator(".figures dd")).to_have_text(["7", "0.0/s", "1", "2"])
    shares = await link.locator(".share:visible").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert shares[0] > 10 * shares[1] > 0
    bench.noise = bench.noise | {"tail": 3}
    bench.publish_link()
    await expect(legend).to_have_text(["delivered 100 B", "noise 5 B", "tail 3 B", "check 1 B"])


@pytest.mark.parametrize("width", [1400, 901])
async def test_three_links_fill_a_row(bench: Bench, browser: Browser, width: int) -> None:
    """Nothing is left empty beside or below them."""
    async with watching(browser, bench, width=width) as page:
        for name in ("right", "top"):
            bench.hub.publish_link(name, bench.link() | {"link": name})
        await expect(page.locator(".link")).to_have_count(3)
        boxes = [await one.bounding_box() for one in await page.locator(".link").all()]
        row = await page.locator("#links").bounding_box()
        assert row is not None
        assert len({box["y"] for box in boxes if box}) == 1
        assert max(box["x"] + box["width"] for box in boxes if box) == pytest.approx(
            row["x"] + row["width"], abs=1
        )


async def test_a_link_that_is_lost_shows_why(bench: Bench, page: Page) -> None:
    """And when it is back."""
    bench.publish_link("lost")
    await expect(page.locator(".link .state")).to_have_text("lost")
    await expect(page.locator(".link .reason")).to_have_text("unplugged")
    bench.publish_link("connected")
    await expect(page.locator(".link .reason")).to_have_text("")


async def test_a_links_rate_falls_to_nothing_when_nothing_comes(bench: Bench, page: Page) -> None:
    """A link that has no news tells none: the page sees by itself that the counters stand still."""
    await page.clock.install()
    await page.reload()
    await live(page)
    rate = page.locator(".link .figures dd").nth(1)
    await expect(rate).to_have_text("0.0/s")
    bench.frames += 1_000_000  # at any distance from the last news, so that there is a rate
    bench.publish_link("connecting")
    await expect(page.locator(".link .state")).to_have_text("connecting")
    await expect(rate).not_to_have_text("0.0/s")
    await page.clock.fast_forward(5_000)
    await expect(rate).to_have_text("0.0/s")


async def test_values_grey_out_when_nothing_comes(bench: Bench, page: Page) -> None:
    """Not heard yet is stale; a frame makes it fresh; five seconds later it is stale again, and says how old it is."""
    await page.clock.install()
    await page.reload()
    await live(page)
    await expect(page.locator(".device.stale .age")).to_have_text("not heard yet")
    bench.publish(5)
    await expect(page.locator(".device:not(.stale) .age")).to_have_text("now")
    await page.clock.fast_forward(7_000)
    await expect(page.locator(".device.stale .age")).to_contain_text("s ago")
    await expect(page.locator(SPEED)).to_have_text("5 rpm")
    bench.publish(6)
    await expect(page.locator(".device:not(.stale) .age")).to_have_text("now")


async def test_further_events_appear_when_they_first_come(bench: Bench, page: Page) -> None:
    """The schema's first event is there at once; a fault's is not until there is one."""
    await expect(page.locator(".stream")).to_have_count(1)
    bench.trip()
    await expect(page.locator('[data-event="tripped"] h4')).to_have_text("tripped")
    await expect(page.locator('[data-event="tripped"] dd')).to_have_text("overcurrent")


async def test_a_device_may_have_events_that_look_like_replies(bench: Bench, browser: Browser) -> None:
    """Its schema says what they are."""
    bench.schemas["motor"] = Schema.parse(ODD)
    async with watching(browser, bench) as page:
        bench.hub.publish_frame("left", Frame(2, 0x90, b"\x2a"), message="tick", fields={"count": 42})
        await expect(page.locator('[data-field="count"] dd')).to_have_text("42")


async def test_a_device_without_a_schema_shows_its_latest_bytes(bench: Bench, page: Page) -> None:
    """By command, up to a bound."""
    for n in range(20):
        bench.publish_bytes(9, n, bytes([n, 0xAA]))
    bench.publish_bytes(9, 0, b"")
    card = page.locator('[data-device="left/9"]')
    await expect(card.locator("h3")).to_have_text("Device 0x09")
    await expect(card.locator(".bytes dt")).to_have_count(8)
    await expect(card.locator(".bytes dd").first).to_have_text("no data")
    await expect(card.locator(".bytes dd").nth(1)).to_have_text("01 aa")
    await expect(page.locator("#log li").nth(1)).to_contain_text("no schema")


async def test_the_page_does_not_fill_with_invented_addresses(bench: Bench, page: Page) -> None:
    """Cards are bounded, and what is not shown is said."""
    for addr in range(3, 103):
        bench.publish_bytes(addr, 1, b"")
    await expect(page.locator(".device")).to_have_count(64)
    await expect(page.locator("#devices-hidden")).to_contain_text("37 more are not shown")


async def test_a_plot_draws_its_line_in_the_themes_colour(bench: Bench, page: Page) -> None:
    """And again in the other theme's after the button, which is remembered until one agrees with the system."""
    theme = "document.documentElement.dataset.theme"
    await curve(bench)
    await until_drawn(page)
    await page.click("#theme")
    assert await page.evaluate(theme) == "dark"
    await until_drawn(page)
    await page.reload()
    assert await page.evaluate(theme) == "dark"
    await page.click("#theme")
    assert await page.evaluate(theme) == "light"
    await page.emulate_media(color_scheme="dark")
    await page.wait_for_function(f"() => {theme} === 'dark'")


async def test_the_cursor_reads_all_plots_of_a_device_out(bench: Bench, page: Page) -> None:
    """Under the cursor the values of that time, in each plot; without it the latest ones."""
    await curve(bench)
    await until_drawn(page)
    readouts = page.locator(".readout")
    await expect(readouts.first).to_have_text("speed 1100 rpmsetpoint 1000 rpm")
    await expect(readouts.nth(1)).to_have_text("current 0.500 A")
    await page.locator(".plot .u-over").first.hover()
    await expect(readouts.nth(0).locator("time")).not_to_be_empty()
    await expect(readouts.nth(1).locator("time")).not_to_be_empty()
    await page.locator("h1").hover()
    await expect(readouts.nth(1).locator("time")).to_be_empty()


async def test_paused_plots_stand_still_while_values_go_on(bench: Bench, page: Page) -> None:
    """And catch up afterwards; another window is shown even while they stand."""
    await curve(bench)
    await until_drawn(page)
    latest = page.locator(".readout").first.locator(".value").first
    await expect(latest).to_have_text("1100")
    await page.click("#plots-pause")
    bench.publish(4000)
    await expect(page.locator(SPEED)).to_have_text("4000 rpm")
    await expect(latest).to_have_text("1100")  # values and plots are drawn together: it would have moved
    await page.click('#window [data-seconds="10"]')
    await expect(page.locator('#window [aria-pressed="true"]')).to_have_text("10 s")
    bench.publish(4000)
    await expect(page.locator("#log li")).to_have_count(22)
    await expect(latest).to_have_text("1100")
    await page.click("#plots-pause")
    bench.publish(4001)
    await expect(latest).to_have_text("4001")


OUT_OF_SIGHT = """() => new Promise((resolve) => {
    document.getElementById("devices").style.marginTop = "2000px";
    new IntersectionObserver(([one]) => one.isIntersecting || resolve()).observe(document.querySelector(".canvas"));
})"""
"""Moves the plots below the window, and waits until an observer has noticed, as the page's own has before it."""


async def test_a_paused_plot_is_drawn_when_it_comes_into_sight(bench: Bench, page: Page) -> None:
    """As it was when the pause began, though nobody saw it then."""
    await page.evaluate(OUT_OF_SIGHT)
    await curve(bench)
    await expect(page.locator(SPEED)).to_have_text("1100 rpm")
    await page.click("#plots-pause")
    bench.publish(4000)
    await expect(page.locator(SPEED)).to_have_text("4000 rpm")
    await page.locator(".plot").first.scroll_into_view_if_needed()
    await until_drawn(page)
    await expect(page.locator(".readout").first.locator(".value").first).to_have_text("1100")


async def test_the_log_filters_pauses_and_clears(bench: Bench, page: Page) -> None:
    """A filter also finds what came before it; a pause loses nothing and says how much waits."""
    for n in range(10):
        bench.publish(n, fault="stalled" if n == 3 else "none")
    rows = page.locator("#log li")
    await expect(rows).to_have_count(10)
    await page.keyboard.press("/")
    await page.keyboard.type("fault=stalled")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("speed=3")
    await expect(page.locator("#log-count")).to_have_text("1 of 10")
    await page.fill("#log-filter", "motor -stalled")
    await expect(rows).to_have_count(9)
    await page.fill("#log-filter", "")
    await expect(rows).to_have_count(10)
    await page.click("#log-pause")
    bench.publish(77)
    await expect(page.locator(SPEED)).to_have_text("77 rpm")
    await expect(page.locator("#log-pause")).to_have_text("Resume (1)")
    await expect(rows).to_have_count(10)
    await page.click("#log-pause")
    await expect(rows).to_have_count(11)
    await page.click("#log-clear")
    await expect(rows).to_have_count(0)


async def test_the_log_is_bounded(bench: Bench, page: Page) -> None:
    """Old rows leave the page, whether frames come all at once or drawing by drawing."""
    rows = page.locator("#log li")
    for first, last, shown in ((0, 200, 200), (200, 400, 300), (400, 1_000, 300)):
        for n in range(first, last):
            bench.publish(n)
        await expect(rows.first).to_contain_text(f"speed={last - 1}")
        await expect(rows).to_have_count(shown)


async def test_a_gap_is_shown(bench: Bench, page: Page) -> None:
    """In the bar and in the log: 1,500 frames at once are more than the server keeps for a client."""
    for n in range(1_500):
        bench.publish(n)
    await expect(page.locator("#gap")).to_have_text("500 frames skipped")
    await page.fill("#log-filter", "not shown")
    await expect(page.locator("#log .gap")).to_have_text("500 frames were not shown: this page was too slow")


async def test_names_and_values_from_devices_are_never_markup(bench: Bench, browser: Browser) -> None:
    """A device that calls itself a script is shown as text."""
    bench.name = NASTY
    bench.publish_link()
    async with watching(browser, bench) as page:
        bench.hub.publish_frame("left", Frame(2, 0x33), message=NASTY, fields={NASTY: NASTY})
        await expect(page.locator(".device h3")).to_have_text(NASTY)
        await expect(page.locator("#log li")).to_contain_text(NASTY)
        await expect(page.locator("#command-device option").first).to_contain_text(NASTY)
        assert await page.locator("main img").count() == 0
        assert await page.title() == "framelink"


async def test_the_page_itself_has_no_inline_script_or_style(page: Page) -> None:
    """So the strict policy costs it nothing; everything comes from the server itself."""
    source = await (await page.request.get(page.url)).text()
    assert "<style" not in source
    assert " style=" not in source
    assert " on" not in source.replace(" one", "")
    assert await page.locator("script:not([src])").count() == 0
    loaded = await page.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
    )
    assert set(loaded) == {page.url.rstrip("/")}


async def test_every_control_has_a_name(page: Page) -> None:
    """For those who hear the page: no button, input or select without one."""
    controls = page.locator("button:visible, input:visible, select:visible, summary:visible")
    assert await controls.count() > 10
    names = await controls.evaluate_all(
        "all => all.map((one) => one.ariaLabel || one.labels?.[0]?.innerText || one.innerText)"
    )
    assert all(name.strip() for name in names)


FAINT = """() => {
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const paint = (color, alpha) => {
        pixel.globalAlpha = alpha;
        pixel.fillStyle = color;
        pixel.fillRect(0, 0, 1, 1);
        return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const linear = (one) => (one <= 10 ? one / 3294.6 : ((one / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05;
    const ancestors = (node) => (node ? [...ancestors(node.parentElement), node] : []);
    const contrast = (node, { color, opacity }) => {
        const styles = ancestors(node).map((one) => getComputedStyle(one));
        let behind;
        for (const style of styles) behind = paint(style.backgroundColor, 1);
        const solid = styles.reduce((product, style) => product * style.opacity, opacity ?? 1);
        const [low, high] = [light(behind), light(paint(color, solid))].sort((a, b) => a - b);
        return high / low;
    };
    const found = [];
    const look = (text, node, style) => {
        const ratio = contrast(node, style);
        if (ratio < 4.5) found.push(`${ratio.toFixed(2)}: ${text}`);
        seen += 1;
    };
    let seen = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const [text, node] = [texts.currentNode.data.trim(), texts.currentNode.parentElement];
        if (text && node.checkVisibility() && !node.closest(":disabled, option, noscript")) look(text, node, { color: getComputedStyle(node).color });
    }
    for (const input of document.querySelectorAll("input[placeholder]")) {
        const { color, opacity } = getComputedStyle(input, "::placeholder");
        look(input.placeholder, input, { color, opacity });
    }
    return { seen, found };
}"""
"""Texts whose contrast is below 4.5 : 1, what WCAG wants at least."""


async def all_can_be_read(page: Page) -> None:
    """Check that no text is too faint."""
    result = await page.evaluate(FAINT)
    assert result["seen"] > 40
    assert result["found"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read(bench: Bench, browser: Browser, scheme: str) -> None:
    """Above all what is stale, lost, skipped or refused, which is what must be noticed."""
    async with watching(browser, bench, scheme=scheme) as page:
        await page.emulate_media(reduced_motion="reduce")  # no colours on their way to others
        await expect(page.locator(".device.stale")).to_have_count(1)
        await all_can_be_read(page)
        bench.publish_bytes(9, 1, b"\x01")
        await page.select_option("#command-name", "set")
        await page.fill("#command-fields input", "1")
        await page.click("#command-send")
        await expect(page.locator("#command-reply b")).to_be_visible()
        await expect(page.locator("#log .badge.reply")).to_be_visible()
        await all_can_be_read(page)
        bench.publish_link("lost")
        await page.fill("#command-fields input", "")
        await page.click("#command-send")
        for n in range(1_500):
            bench.publish(n)
        await expect(page.locator("#gap")).to_be_visible()
        await expect(page.locator(".link .state")).to_have_text("lost")
        await all_can_be_read(page)
        await page.evaluate("document.querySelector('.link').dataset.state = 'unknown'")
        await all_can_be_read(page)
