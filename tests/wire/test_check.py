"""The checks: crcmod's, and the plain ones."""

from __future__ import annotations

import random

import crcmod.predefined
import pytest

from framelink.wire import CHECK_NAMES
from framelink.wire.check import CRC16_NAMES, check_named
from tools.reference import CRC16, crc16


def test_the_list_of_crcs_is_crcmods() -> None:
    """Every 16-bit CRC that crcmod names, and no other."""
    table = crcmod.predefined._crc_definitions_table
    assert set(CRC16_NAMES) == {row[0] for row in table if 1 << 16 <= row[2] < 1 << 17}


def test_modbus_has_the_known_check_value() -> None:
    """The CRC of "123456789" is 0x4B37."""
    assert check_named("modbus").compute(b"123456789") == 0x4B37


@pytest.mark.parametrize("name", CRC16)
def test_every_crc_is_the_catalogues(name: str) -> None:
    """Crcmod's tables give what the bitwise reference gives."""
    data = random.Random(name).randbytes(50)
    assert check_named(name).compute(data) == crc16(name, data)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("name", CHECK_NAMES)
def test_the_remainder_tells_whether_a_check_holds(name: str, order: str) -> None:
    """The receiver's quick way agrees with comparing, for right and for wrong checks."""
    check = check_named(name)
    remainder, good = check.remainder("little" if order == "little" else "big")
    body = b"some bytes"
    value = check.compute(body)
    assert remainder(body + value.to_bytes(check.size, "little" if order == "little" else "big")) == good
    if check.size:
        wrong = value ^ 1
        assert remainder(body + wrong.to_bytes(check.size, "little" if order == "little" else "big")) != good
