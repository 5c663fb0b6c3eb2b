"""What the C core may cost a microcontroller."""

from __future__ import annotations

import pytest

from tools import firmware_size

CEILINGS = {"ATmega328P": 900, "Cortex-M3": 600}
"""Bytes of flash for receiver and encoder without a table of their own."""
NO_TABLE = ("none", "avr-libc's")
RAM_OVER_PAYLOAD = 64
STACK = 64
"""Bytes; an ATmega328P has 2,048 for everything."""


@pytest.fixture(scope="module")
def rows() -> list[firmware_size.Cost]:
    """Every row of the table, measured now."""
    return list(firmware_size.costs())


@pytest.fixture(scope="module")
def parts() -> list[firmware_size.PartCost]:
    """Every row of the table of parts, measured now."""
    return list(firmware_size.part_costs())


def test_the_core_stays_under_its_ceilings(rows: list[firmware_size.Cost]) -> None:
    """Flash without tables, RAM over the largest payload, and stack."""
    seen = set()
    for row in rows:
        assert row.ram <= row.max_data + RAM_OVER_PAYLOAD, row
        assert row.stack <= STACK, row
        if row.table in NO_TABLE:
            assert row.flash <= CEILINGS[row.board], row
            seen.add((row.board, row.table))
    assert seen == {("ATmega328P", "none"), ("ATmega328P", "avr-libc's"), ("Cortex-M3", "none")}


def test_the_page_shows_what_is_measured(
    rows: list[firmware_size.Cost], parts: list[firmware_size.PartCost]
) -> None:
    """With the compilers that the page names; others may differ."""
    text = firmware_size.PAGE.read_text("utf-8")
    if not all(one in text for one in firmware_size.versions()):
        pytest.skip("the page was made with other compilers")
    assert text == firmware_size.page(rows, parts)


def test_what_is_measured_is_the_core(rows: list[firmware_size.Cost]) -> None:
    """A larger table costs flash, a larger payload costs RAM, and nothing is free."""
    by_key = {(row.board, row.table, row.max_data): row for row in rows}
    for board in CEILINGS:
        small, large = by_key[board, "none", 16], by_key[board, "256 entries", 255]
        assert large.flash >= small.flash + 400
        assert large.ram == pytest.approx(small.ram + 239, abs=8)
        assert small.stack >= 10


def test_each_part_costs_what_it_needs(parts: list[firmware_size.PartCost]) -> None:
    """A sequenced device keeps one frame more than a plain one; files need no payload buffer at all."""
    by_key = {(one.board, one.part): one for one in parts}
    for board in CEILINGS:
        plain, sequenced = by_key[board, "device"], by_key[board, "device, sequenced"]
        frame = firmware_size.DEVICE_PAYLOAD + 9
        assert frame < sequenced.ram - plain.ram <= frame + 8
        assert plain.flash < sequenced.flash < plain.flash + 500
        assert by_key[board, "transfer"].ram < firmware_size.DEVICE_PAYLOAD
        assert by_key[board, "transfer"].flash < 3_200
