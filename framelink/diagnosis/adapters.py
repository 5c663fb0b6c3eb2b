"""The USB adapters that are met, by vendor and product."""

from __future__ import annotations

from framelink.diagnosis.measurements import Adapter

CHIPS: dict[tuple[int, int | None], str] = {
    (0x0403, 0x6001): "FTDI FT232R",
    (0x0403, 0x6010): "FTDI FT2232",
    (0x0403, 0x6011): "FTDI FT4232",
    (0x0403, 0x6014): "FTDI FT232H",
    (0x0403, 0x6015): "FTDI FT-X",
    (0x0403, None): "FTDI",
    (0x10C4, 0xEA60): "Silicon Labs CP210x",
    (0x10C4, None): "Silicon Labs",
    (0x1A86, 0x7523): "WCH CH340",
    (0x1A86, 0x5523): "WCH CH341",
    (0x1A86, 0x55D4): "WCH CH9102",
    (0x1A86, None): "WCH",
    (0x067B, None): "Prolific PL2303",
    (0x0483, 0x5740): "STM32 virtual COM port",
    (0x0483, None): "ST-LINK",
    (0x2341, None): "Arduino",
    (0x2E8A, None): "Raspberry Pi Pico",
    (0x303A, None): "Espressif USB",
    (0x1366, None): "SEGGER J-Link",
    (0x16C0, None): "Teensy",
}
"""Vendor and product, or vendor alone → name."""

DRIVERS = {"cdc_acm": "a USB device of its own (CDC-ACM)"}
"""Driver → what it drives, where vendor and product are not known."""


def name_of(adapter: Adapter) -> str:
    """Return what people call an adapter."""
    if adapter.vid is None:
        return adapter.driver or "a port without a driver"
    known = CHIPS.get((adapter.vid, adapter.pid)) or CHIPS.get((adapter.vid, None))
    return known or DRIVERS.get(adapter.driver) or adapter.product or "an adapter that is not known"
