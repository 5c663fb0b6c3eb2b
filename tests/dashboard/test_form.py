"""The command form and the devices' parameters, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.dashboard.bench import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's

REPLY = "#command-reply"
SEND = "#command-send"


async def test_a_command_by_its_fields_shows_its_reply(bench: Bench, page: Page) -> None:
    """The form knows the device's parameters, their units and ranges; the reply has its bytes and its time."""
    await page.select_option("#command-name", "set")
    await page.select_option("#command-fields select", "setpoint")
    await expect(page.locator("#command-fields small")).to_have_text(
        "rpm · -6000 to 6000 · The speed to reach"
    )
    await page.fill("#command-fields input", "1500")
    await page.click(SEND)
    await expect(page.locator(REPLY)).to_contain_text("set parameter=setpoint value=1500 rpm")
    await expect(page.locator(f"{REPLY} code")).to_have_text("0x84 01 dc 05")
    await expect(page.locator(f"{REPLY} small")).to_contain_text("ms")
    assert bench.commands[-1].fields == {"parameter": "setpoint", "value": 1500}
    assert (bench.commands[-1].link, bench.commands[-1].addr) == ("left", 2)


async def test_values_that_cannot_be_are_not_sent(bench: Bench, page: Page) -> None:
    """The form says what is allowed, and marks the input."""
    await page.select_option("#command-name", "set")
    value = page.locator("#command-fields input")
    for typed, problem in (
        ("fast", "value must be a number"),
        ("6001", "value must be -6000 to 6000"),
        ("1.5", "value must be a whole number"),
    ):
        await value.fill(typed)
        await page.click(SEND)
        await expect(page.locator(REPLY)).to_have_text(problem)
        await expect(value).to_have_attribute("aria-invalid", "true")
    await value.fill("1")
    await expect(value).not_to_have_attribute("aria-invalid", "true")
    assert bench.commands == []


async def test_raw_bytes_go_out_as_they_are_and_a_refusal_is_shown(bench: Bench, page: Page) -> None:
    """Command and data in hex."""
    await page.select_option("#command-name", "raw")
    await page.fill('#command-fields label:has-text("cmd") input', "0x55")
    await page.fill('#command-fields label:has-text("data") input', "01 02")
    await page.press('#command-fields label:has-text("data") input', "Enter")
    await expect(page.locator(REPLY)).to_contain_text("refused command 0x55")
    await expect(page.locator(REPLY)).to_have_attribute("data-state", "failed")
    assert (bench.commands[-1].cmd, bench.commands[-1].data) == (0x55, b"\x01\x02")


async def test_an_answer_tells_when_it_came(page: Page) -> None:
    """It stays in the form when the trouble that it tells of is over; what is wrong with an input has no time."""
    when = page.locator(f"{REPLY} time")
    await page.select_option("#command-name", "set")
    await page.click(SEND)
    await expect(page.locator(REPLY)).to_have_text("value must be a number")
    await expect(when).to_have_count(0)
    for value, state in (("1", "ok"), ("0x55", "failed")):
        if state == "failed":
            await page.select_option("#command-name", "raw")
        await page.locator("#command-fields input").first.fill(value)
        await page.click(SEND)
        await expect(page.locator(REPLY)).to_have_attribute("data-state", state)
        await expect(when).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


async def test_an_address_that_was_not_heard_can_be_asked(bench: Bench, page: Page) -> None:
    """By the standard commands; to everybody, which nobody answers."""
    await page.select_option("#command-device", "left/")
    await page.select_option("#command-name", "ping")
    await page.fill("#command-addr", "300")
    await page.click(SEND)
    await expect(page.locator(REPLY)).to_have_text("address must be 0 to 255")
    await page.fill("#command-addr", "0xFF")
    await page.click(SEND)
    await expect(page.locator(REPLY)).to_contain_text("sent")
    assert (bench.commands[-1].addr, bench.commands[-1].message) == (0xFF, "ping")


async def test_what_is_being_typed_survives_the_links_news(bench: Bench, page: Page) -> None:
    """A link tells its figures every second, and devices appear; the form keeps its inputs."""
    await page.select_option("#command-name", "set")
    await page.fill("#command-fields input", "12")
    bench.hub.publish_link("right", bench.link() | {"link": "right"})
    await expect(page.locator(".link")).to_have_count(2)
    await expect(page.locator("#command-fields input")).to_have_value("12")


async def test_parameters_are_read_when_they_are_opened_and_set_through_the_form(
    bench: Bench, page: Page
) -> None:
    """With their units; a set's reply shows as the new value."""
    await page.click(".parameters summary")
    values = page.locator(".parameter .value")
    await expect(values).to_have_text(["1000 rpm", "30 %"])
    assert [one.fields["parameter"] for one in bench.commands] == ["setpoint", "load"]
    await page.click('[aria-label="Set load"]')
    await expect(page.locator("#command-name")).to_have_value("set")
    await expect(page.locator("#command-fields select")).to_have_value("load")
    await expect(page.locator("#command-fields input")).to_be_focused()
    await page.keyboard.type("55")
    await page.keyboard.press("Enter")
    await expect(values).to_have_text(["1000 rpm", "55 %"])
