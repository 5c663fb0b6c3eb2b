"""Device → link → bridge → WebSocket client → command → device → reply, on real parts over four wires."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from firmware_sim import DeviceEntry, Fault, PortEntry, Scenario, Simulation, schema_of
from framelink.bridge import Bridge, BridgeConfig, LinkConfig
from tests.support.pty_device import DEADLINE

WIRES = {
    "perfect": [],
    "one byte at a time": [Fault(chunk=1)],
    "noisy": [Fault(bit_errors=0.0005, lost=0.0005, added=0.0005)],
    "delayed": [Fault(delay=0.02)],
}
MODELS = ("weather", "motor", "power")
SCHEMAS = tuple(schema_of(model) for model in MODELS)


class Browser:
    """A WebSocket client that remembers what it heard."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self.heard: list[dict[str, Any]] = []

    async def says(self, type_: str, payload: dict[str, Any]) -> None:
        """Send a message."""
        await self._ws.send_str(json.dumps({"type": type_, "payload": payload, "timestamp": 0}))

    async def hears(self, type_: str, **wanted: Any) -> dict[str, Any]:
        """Return the payload of the next message of that type that has these values."""
        async with asyncio.timeout(DEADLINE):
            while True:
                message = await self._ws.receive_json()
                self.heard.append(message)
                payload: dict[str, Any] = message["payload"]
                if message["type"] == type_ and wanted.items() <= payload.items():
                    return payload

    async def orders(self, id_: int, addr: int, message: str, **fields: Any) -> dict[str, Any]:
        """Send a command until it is answered: a noisy line may eat it."""
        for attempt in range(10):
            number = id_ * 100 + attempt
            order = {"id": number, "link": "bench", "addr": addr, "message": message, "fields": fields}
            await self.says("command", order)
            reply = await self.hears("reply", id=number)
            if reply["ok"]:
                return reply
        raise AssertionError(f"no reply: {reply}")


@asynccontextmanager
async def bench(folder: Path, faults: list[Fault]) -> AsyncIterator[tuple[Simulation, Browser]]:
    """Run three devices on one line, a bridge, and a browser that has subscribed to all."""
    devices = [DeviceEntry(model=model, addr=n, period=100) for n, model in enumerate(MODELS, 1)]
    scenario = Scenario(seed=11, port=[PortEntry(name="bench", device=devices, fault=faults)])
    async with Simulation(scenario, link=folder / "dev") as simulation:
        link = LinkConfig("bench", simulation.urls["bench"], schemas=SCHEMAS)
        async with (
            Bridge(BridgeConfig((link,), port=0)) as bridge,
            aiohttp.ClientSession(bridge.url) as http,
            http.ws_connect("/ws") as ws,
        ):
            browser = Browser(ws)
            await browser.says("subscribe", {"rooms": ["frames/#", "links/#"]})
            yield simulation, browser


@pytest.mark.parametrize("wire", WIRES)
async def test_values_come_in_and_commands_go_out(tmp_path: Path, wire: str) -> None:
    """A browser sees all three devices, changes a set-point, and sees its effect in the telemetry."""
    async with bench(tmp_path, WIRES[wire]) as (_simulation, browser):
        for model in MODELS:
            frame = await browser.hears("frame", message=model)
            assert frame["link"] == "bench"
            assert frame["fields"]
        reply = await browser.orders(1, 2, "set", parameter="setpoint", value=2500)
        assert reply["fields"] == {"parameter": "setpoint", "value": 2500}
        while (await browser.hears("frame", message="motor"))["fields"]["setpoint"] != 2500:
            pass
        link = await browser.hears("link")
        ledger = link["ledger"]
        accounted = ledger["delivered"] + sum(ledger["noise"].values()) + ledger["pending"]
        assert accounted == ledger["received"]
        if wire != "noisy":
            assert sum(ledger["noise"].values()) == 0
            assert {one["name"] for one in link["devices"]} <= set(MODELS)


async def test_a_command_to_nobody_is_answered_with_the_reason(tmp_path: Path) -> None:
    """An absent device, an absent link, an unknown message."""
    async with bench(tmp_path, []) as (_simulation, browser):
        await browser.hears("frame", message="motor")
        order = {"id": 1, "link": "bench", "addr": 77, "cmd": 1}
        for change, reason in (
            ({}, "no reply from address 0x4D"),
            ({"link": "nowhere"}, "there is no link 'nowhere'; there are: bench"),
            ({"cmd": None, "message": "fly"}, "has no message 'fly'"),
        ):
            await browser.says("command", order | change)
            reply = await browser.hears("reply", id=1)
            assert reply["ok"] is False
            assert reason in reply["error"]


async def test_pulling_the_cable_in_mid_stream_loses_no_intact_frame(tmp_path: Path) -> None:
    """What the device had put on the line before arrives, and what it says after; the browser sees the loss."""
    async with bench(tmp_path, []) as (simulation, browser):
        before = await browser.hears("frame", message="power")
        simulation.unplug("bench")
        lost = await browser.hears("link", state="connecting")
        assert lost["reason"]
        await simulation.replug("bench")
        await browser.hears("link", state="connected")
        after = await browser.hears("frame", message="power")
        assert after["fields"]["energy"] >= before["fields"]["energy"]
        offsets = [one["payload"]["offset"] for one in browser.heard if one["type"] == "frame"]
        assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
        link = await browser.hears("link", state="connected")
        assert link["stats"]["reconnects"] == 1
        assert link["ledger"]["frames"] == link["stats"]["frames_received"]


async def test_a_replugged_device_is_asked_again_what_it_is(tmp_path: Path) -> None:
    """It may be another one, or have another firmware."""
    async with bench(tmp_path, []) as (simulation, browser):

        def named(link: dict[str, Any]) -> set[str]:
            return {one["name"] for one in link["devices"] if one["firmware"]}

        while named(await browser.hears("link")) != set(MODELS):
            pass
        simulation.unplug("bench")
        await browser.hears("link", state="connecting")
        await simulation.replug("bench")
        while named(await browser.hears("link", state="connected")) != set(MODELS):
            pass
