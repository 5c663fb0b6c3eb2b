"""The bridge's own decisions, with a device that the test scripts on a line in memory."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from firmware_sim import MODELS, MemoryPort, SimulatedDevice, schema_of
from framelink import bridge as bridge_module
from framelink.bridge import MAX_LINKS, Bridge, BridgeConfig, LinkConfig
from framelink.errors import ConfigError, LinkOpenError
from framelink.link import Port
from framelink.message import STANDARD, Schema
from framelink.wire import Frame, Receiver, encode

DEADLINE = 30.0
"""Seconds after which a wait of a test has failed."""

WEATHER = schema_of("weather")
MOTOR = schema_of("motor")
ECHOING = Schema.parse(
    """
    [device]
    name = "echoing"
    standard = false
    [[command]]
    id = 0x90
    reply_id = 0x90
    name = "read"
    reply = [{ name = "value", type = "u8" }]
    """
)
EVENT = WEATHER.encode(1, "weather", {"temperature": 21.5, "humidity": 40.0, "pressure": 1000.0})

Answer = Callable[[Frame], list[Frame]]


class Board:
    """A device of the test's own.

    Args:
        answer: What it sends when it gets a frame.
    """

    def __init__(self, answer: Answer = lambda _frame: []) -> None:
        self.port = MemoryPort("board")
        self.heard: list[Frame] = []
        self.answer = answer
        self._receiver = Receiver()
        self._news = asyncio.Event()

    async def power_up(self) -> None:
        """Be there."""
        await self.port.open(self._receive)

    def says(self, frame: Frame) -> None:
        """Send a frame."""
        self.port.write(encode(frame))

    async def hears(self, cmd: int, times: int = 1) -> None:
        """Wait until that command has come so many times."""
        async with asyncio.timeout(DEADLINE):
            while sum(frame.cmd == cmd for frame in self.heard) < times:
                self._news.clear()
                await self._news.wait()

    def _receive(self, data: bytes) -> None:
        for frame in self._receiver.feed(data):
            self.heard.append(frame)
            for reply in self.answer(frame):
                self.says(reply)
        self._news.set()


class Page:
    """A WebSocket client that has subscribed to everything."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = socket
        self._orders = 0

    async def says(self, type_: str, payload: dict[str, Any]) -> None:
        """Send a message."""
        await self._socket.send_str(json.dumps({"type": type_, "payload": payload, "timestamp": 0}))

    async def hears(self, type_: str, wanted: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """Return the payload of the next such message."""
        async with asyncio.timeout(DEADLINE):
            while True:
                message = await self._socket.receive_json()
                payload: dict[str, Any] = message["payload"]
                if message["type"] == type_ and wanted(payload):
                    return payload

    async def next_type(self) -> str:
        """Return the type of whatever message comes next."""
        return str((await self._socket.receive_json(timeout=DEADLINE))["type"])

    async def orders(self, **order: Any) -> dict[str, Any]:
        """Send a command and return its reply."""
        self._orders += 1
        await self.says("command", {"id": self._orders, "link": "board"} | order)
        return await self.hears("reply", lambda reply: reply["id"] == self._orders)

    async def is_understood(self) -> None:
        """Wait until the bridge has taken all that was said so far."""
        await self.says("handshake", {"client": 1})
        await self.hears("error")

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Page]:
        """Open a second client, which subscribes to nothing."""
        async with self._http.ws_connect("/ws") as socket:
            yield Page(self._http, socket)

    async def fetches(self, path: str) -> Any:
        """Return what the server gives at a path."""
        async with self._http.get(path) as response:
            return await response.json()


@asynccontextmanager
async def bridged(board: Board, *schemas: Schema) -> AsyncIterator[Page]:
    """Serve a board and open a page that sees it connected."""
    await board.power_up()
    link = LinkConfig("board", board.port.opener, schemas=schemas)
    async with (
        Bridge(BridgeConfig((link,), port=0)) as bridge,
        aiohttp.ClientSession(bridge.url) as http,
        http.ws_connect("/ws") as socket,
    ):
        page = Page(http, socket)
        await page.says("subscribe", {"rooms": ["#"]})
        await page.hears("link", lambda link: link["state"] == "connected")
        yield page


def identity(type_: int, name: str = "board") -> Answer:
    """Return a device that identifies itself, and does nothing else."""
    fields = {"protocol": 1, "boots": 1, "type": type_, "firmware": [1, 2, 3], "name": name}

    def answer(frame: Frame) -> list[Frame]:
        return [STANDARD.encode(frame.addr, "identify", fields, kind="reply")] if frame.cmd == 0x02 else []

    return answer


def device_of(link: dict[str, Any]) -> dict[str, Any]:
    """Return the one device of a link's payload, empty before it is known."""
    return next(iter(link["devices"]), {})


class TestFrames:
    """What browsers get of a frame."""

    async def test_a_single_schema_gives_frames_their_meaning_at_once(self) -> None:
        """Nobody needs to be asked for the fields, only for the name."""
        board = Board()
        async with bridged(board, WEATHER) as page:
            board.says(EVENT)
            frame = await page.hears("frame")
        assert frame == {
            "offset": 1,
            "link": "board",
            "addr": 1,
            "cmd": 0x20,
            "data": EVENT.data.hex(),
            "message": "weather",
            "fields": {"temperature": 21.5, "humidity": 40.0, "pressure": 1000.0},
        }

    async def test_with_several_schemas_the_device_says_which_is_its_own(self) -> None:
        """Frames before the answer have their bytes; frames after it have their fields."""
        board = Board(identity(WEATHER.device_type, "roof"))
        async with bridged(board, MOTOR, WEATHER) as page:
            board.says(EVENT)
            link = await page.hears("link", lambda link: bool(device_of(link).get("firmware")))
            board.says(EVENT)
            frame = await page.hears("frame", lambda frame: "message" in frame and frame["cmd"] == 0x20)
        assert device_of(link) == {
            "addr": 1,
            "name": "roof",
            "type": 0x0101,
            "firmware": "1.2.3",
            "schema": "weather",
            "reboots": 0,
        }
        assert frame["fields"]["temperature"] == 21.5

    async def test_a_type_that_no_schema_has_leaves_frames_as_they_are(self) -> None:
        """The device is shown by its name, its frames by their bytes."""
        board = Board(identity(999, "stranger"))
        async with bridged(board, MOTOR, WEATHER) as page:
            board.says(EVENT)
            link = await page.hears("link", lambda link: bool(device_of(link).get("firmware")))
            board.says(EVENT)
            frame = await page.hears("frame", lambda frame: frame["cmd"] == 0x20)
        assert (device_of(link)["name"], device_of(link)["schema"]) == ("stranger", None)
        assert "fields" not in frame

    async def test_without_schemas_nobody_is_asked(self) -> None:
        """A bridge that only shows bytes sends nothing of its own."""
        board = Board()
        async with bridged(board) as page:
            board.says(EVENT)
            await page.hears("frame")
            assert (await page.orders(addr=0xFF, cmd=0x7A))["ok"]
            await board.hears(0x7A)
            link = (await page.fetches("/api/links"))[0]
        assert [frame.cmd for frame in board.heard] == [0x7A]
        nobody = {"addr": 1, "name": "", "type": 0, "firmware": "", "schema": None, "reboots": 0}
        assert device_of(link) == nobody

    async def test_host_and_broadcast_addresses_are_no_devices(self) -> None:
        """Frames with these addresses are shown, and nobody is met."""
        board = Board()
        async with bridged(board, WEATHER) as page:
            for addr in (0x00, 0xFF):
                board.says(Frame(addr, 0x30))
                assert (await page.hears("frame"))["addr"] == addr
            assert (await page.fetches("/api/links"))[0]["devices"] == []

    async def test_a_payload_that_does_not_fit_is_shown_with_the_reason(self) -> None:
        """Nothing is lost, and nothing is made up."""
        board = Board()
        async with bridged(board, WEATHER) as page:
            board.says(Frame(1, 0x20, b"\x01"))
            frame = await page.hears("frame")
        assert (frame["data"], frame["message"]) == ("01", "undecodable")
        assert frame["fields"] == {"reason": "weather: payload must have 8 bytes, not 1"}

    async def test_what_a_device_was_holds_until_the_line_is_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While it is away, its commands fail for that reason; what comes back may be another device."""
        monkeypatch.setattr(bridge_module, "REQUEST_TIMEOUT", 0.05)
        board = Board(identity(MOTOR.device_type))
        async with bridged(board, MOTOR, WEATHER) as page:
            board.says(EVENT)
            await page.hears("link", lambda link: device_of(link).get("schema") == "motor")
            board.port.unplug()
            lost = await page.hears("link", lambda link: link["state"] != "connected")
            assert device_of(lost)["schema"] == "motor"
            order = {"addr": 1, "message": "set", "fields": {"parameter": "setpoint", "value": 1}}
            assert "not sent within" in (await page.orders(**order))["error"]
            board.answer = identity(WEATHER.device_type)
            await board.port.replug()
            back = await page.hears("link", lambda link: link["state"] == "connected")
            assert back["devices"] == []
            board.says(EVENT)
            assert "message" not in await page.hears("frame", lambda frame: frame["cmd"] == EVENT.cmd)
            await page.hears("link", lambda link: device_of(link).get("schema") == "weather")


class TestIdentify:
    """When a device is asked what it is."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do not wait long for devices that stay silent."""
        monkeypatch.setattr(bridge_module, "IDENTIFY_TIMEOUT", 0.01)
        monkeypatch.setattr(bridge_module, "IDENTIFY_RETRIES", 0)

    async def test_a_silent_device_is_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may have been the line's fault: the next frame after a while brings the question back."""
        monkeypatch.setattr(bridge_module, "IDENTIFY_AGAIN", 0.0)
        board = Board()
        async with bridged(board, WEATHER) as page:
            async with asyncio.timeout(DEADLINE):
                while len(board.heard) < 3:
                    board.says(EVENT)
                    await page.hears("frame")
        assert {frame.cmd for frame in board.heard} == {0x02}

    async def test_a_device_that_refuses_is_left_alone(self) -> None:
        """It has answered that it knows no such command."""
        board = Board(lambda frame: [Frame(frame.addr, 0xFF, bytes([frame.cmd, 1]))])
        async with bridged(board, WEATHER) as page:
            board.says(EVENT)
            await page.hears("frame", lambda frame: frame["cmd"] == 0xFF)
            for _ in range(3):
                board.says(EVENT)
                await page.hears("frame", lambda frame: frame["cmd"] == 0x20)
        assert len(board.heard) == 1

    def test_the_wait_doubles_each_time(self) -> None:
        """A device that never answers is asked ever less often, and never twice at a time."""
        device = bridge_module._Device(1, ask_at=5.0)
        assert not device.is_due(4.9)
        assert device.is_due(5.0)
        assert not device.is_due(math.nextafter(math.inf, 0.0))
        device.put_off(6.0)
        assert device.ask_at == 6.0 + bridge_module.IDENTIFY_AGAIN
        device.put_off(20.0)
        assert device.ask_at == 20.0 + 2 * bridge_module.IDENTIFY_AGAIN


class TestCommands:
    """What becomes of a browser's command."""

    async def test_raw_bytes_go_out_and_the_reply_comes_back(self) -> None:
        """With its meaning, where that is known."""
        board = Board(lambda frame: [Frame(frame.addr, frame.cmd | 0x80, frame.data)])
        async with bridged(board) as page:
            reply = await page.orders(addr=7, cmd=0x01, data="beef")
        assert board.heard == [Frame(7, 0x01, b"\xbe\xef")]
        assert reply == {
            "id": 1,
            "ok": True,
            "link": "board",
            "addr": 7,
            "cmd": 0x81,
            "data": "beef",
            "message": "ping",
            "fields": {"bytes": "beef"},
        }

    async def test_what_nobody_answers_is_only_sent(self) -> None:
        """Broadcasts, and commands that look like replies."""
        board = Board()
        async with bridged(board) as page:
            assert await page.orders(addr=0xFF, cmd=0x10) == {"id": 1, "ok": True}
            assert await page.orders(addr=1, cmd=0x90) == {"id": 2, "ok": True}
            await board.hears(0x90)
        assert board.heard == [Frame(0xFF, 0x10), Frame(1, 0x90)]

    async def test_a_schema_says_by_which_command_a_device_answers(self) -> None:
        """Some devices answer with the same command, and some commands of theirs have bit 7 set."""
        board = Board(lambda frame: [Frame(frame.addr, frame.cmd, b"\x07")])
        async with bridged(board, ECHOING) as page:
            reply = await page.orders(addr=1, message="read", fields={})
        assert (reply["ok"], reply["cmd"], reply["message"], reply["fields"]) == (
            True,
            0x90,
            "read",
            {"value": 7},
        )

    async def test_a_sequenced_device_is_asked_with_numbers(self) -> None:
        """By name and by number alike; the page sees neither; a reboot that is noticed is told."""
        sim = SimulatedDevice("motor", 1, MOTOR, MODELS["motor"](1), telemetry="motor")
        board = Board()
        board.answer = lambda frame: Receiver().feed(b"".join(sim.feed(encode(frame), 0.0)))
        async with bridged(board, MOTOR) as page:
            first = await page.orders(addr=1, message="jog", fields={"steps": 2})
            second = await page.orders(addr=1, cmd=0x23, data="0100")
            assert [one["fields"] for one in (first, second)] == [
                {"position": 2, "jogs": 1},
                {"position": 3, "jogs": 2},
            ]
            sim.reboot(0.0)
            assert (await page.orders(addr=1, message="identify", fields={}))["ok"]
            board.port.unplug()
            await board.port.replug()
            link = await page.hears("link", lambda link: device_of(link).get("reboots") == 1)
        assert device_of(link)["addr"] == 1
        assert [frame.data[0] for frame in board.heard if frame.cmd == 0x23] == [1, 2]

    async def test_a_refusal_is_the_reply(self) -> None:
        """With the device's words."""
        board = Board(lambda frame: [Frame(frame.addr, 0xFF, bytes([frame.cmd, 4]) + b"rotor turns")])
        async with bridged(board) as page:
            reply = await page.orders(addr=2, cmd=0x21)
        assert reply["ok"] is False
        assert reply["error"].endswith("refused command 0x21: busy (code 4): rotor turns")

    async def test_fields_that_do_not_fit_are_not_sent(self) -> None:
        """The schema says what is allowed."""
        board = Board()
        async with bridged(board, MOTOR) as page:
            fields = {"parameter": "setpoint", "value": 9000}
            reply = await page.orders(addr=2, message="set", fields=fields)
        assert "must be -6000 to 6000 rpm, not 9000" in reply["error"]
        assert board.heard == []

    async def test_a_line_that_is_down_is_told(self) -> None:
        """With what to do about it."""
        board = Board()
        async with bridged(board) as page:
            board.port.unplug()
            await page.hears("link", lambda link: link["state"] != "connected")
            reply = await page.orders(addr=0xFF, cmd=0x10)
        assert reply["ok"] is False
        assert "the line is not connected" in reply["error"]

    async def test_a_link_that_is_not_there_is_told(self) -> None:
        """With those that are."""
        async with bridged(Board()) as page:
            reply = await page.orders(link="shelf", addr=1, cmd=1)
            far = await page.orders(link="x" * 10_000, addr=1, cmd=1)
        assert reply["error"] == "there is no link 'shelf'; there are: board"
        assert far["error"] == f"there is no link '{'x' * 78}…; there are: board"

    async def test_a_command_does_not_wait_for_ever_for_its_turn(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A page learns that the device is busy before it gives up."""
        monkeypatch.setattr(bridge_module, "COMMAND_TIMEOUT", 0.05)
        monkeypatch.setattr(bridge_module, "REQUEST_TIMEOUT", DEADLINE)
        async with bridged(Board()) as page:
            reply = await page.orders(addr=9, cmd=0x10)
        assert reply["error"] == "address 0x09 is busy with earlier commands; try again"

    async def test_clients_take_turns_at_a_device(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who asks once does not wait for all that another has asked before."""
        monkeypatch.setattr(bridge_module, "COMMAND_TIMEOUT", DEADLINE)
        monkeypatch.setattr(bridge_module, "REQUEST_TIMEOUT", DEADLINE)
        board = Board()
        async with bridged(board) as greedy, greedy.another() as modest:
            for id_ in range(3):
                await greedy.says("command", {"id": id_, "link": "board", "addr": 9, "cmd": 0x10})
            await board.hears(0x10)
            await modest.says("command", {"id": 1, "link": "board", "addr": 9, "cmd": 0x20})
            await modest.is_understood()
            board.says(Frame(9, 0x90))
            await board.hears(0x20)
            board.says(Frame(9, 0xA0))
            assert (await modest.hears("reply"))["ok"]
            for times in (2, 3):
                await board.hears(0x10, times)
                board.says(Frame(9, 0x90))
        assert [frame.cmd for frame in board.heard] == [0x10, 0x20, 0x10, 0x10]


class _NoPermission:
    """An opener that fails for good."""

    url = "/dev/locked"

    def open(self) -> Port:
        raise LinkOpenError("no permission to open /dev/locked")


class TestLife:
    """Links that come, go and never come."""

    async def test_the_news_of_links_are_logged_once_each(self, caplog: pytest.LogCaptureFixture) -> None:
        """Connected, lost, back: a line each, with the link's name."""
        caplog.set_level(logging.INFO, "framelink.bridge")
        board = Board()
        async with bridged(board) as page:
            board.port.unplug()
            await page.hears("link", lambda link: link["reason"] != "" and link["state"] != "lost")
            await board.port.replug()
            await page.hears("link", lambda link: link["state"] == "connected")
        news = [record.getMessage() for record in caplog.records if record.name == "framelink.bridge"]
        assert news[0] == news[-1] == "board: connected"
        assert "board: memory:board was lost: unplugged" in news
        assert len(set(news)) == len(news) - 1

    async def test_figures_are_told_while_they_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without any change of state, the page sees the ledger grow."""
        monkeypatch.setattr(bridge_module, "STATUS_PERIOD", 0.01)
        board = Board()
        async with bridged(board) as page:
            board.says(EVENT)
            await page.hears("frame")
            board.port.write(b"noise")
            link = await page.hears("link", lambda link: link["ledger"]["noise"]["noise"] == 5)
        assert link["ledger"]["frames"] == link["stats"]["frames_received"] == 1
        assert link["stats"]["last_frame_at"] > 0

    async def test_figures_that_stay_are_not_told_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A quiet line costs a page nothing, however often it is looked at."""
        monkeypatch.setattr(bridge_module, "STATUS_PERIOD", 0.0001)
        async with bridged(Board()) as page:
            for _ in range(20):
                await page.fetches("/healthz")
            await page.says("handshake", {"client": 1})
            assert await page.next_type() == "error"

    async def test_serving_goes_on_while_one_link_may_come(self) -> None:
        """A link that failed for good is shown as closed, with the reason, beside those that live."""
        board = Board()
        await board.power_up()
        links = (LinkConfig("locked", _NoPermission()), LinkConfig("board", board.port.opener))
        async with (
            Bridge(BridgeConfig(links, port=0)) as bridge,
            aiohttp.ClientSession(bridge.url) as http,
            http.ws_connect("/ws") as socket,
        ):
            page = Page(http, socket)
            await page.says("subscribe", {"rooms": ["links/locked"]})
            locked = await page.hears("link", lambda link: link["state"] == "closed")
            serving = asyncio.create_task(bridge.serve())
            assert not (await asyncio.wait([serving], timeout=0.05))[0]
            serving.cancel()
        assert locked["reason"] == "no permission to open /dev/locked"

    async def test_serving_ends_when_no_link_can_come(self) -> None:
        """There is nothing to wait for."""
        async with Bridge(BridgeConfig((LinkConfig("locked", _NoPermission()),), port=0)) as bridge:
            async with asyncio.timeout(DEADLINE):
                with pytest.raises(LinkOpenError, match="nothing left to serve"):
                    await bridge.serve()


class TestConfig:
    """What a bridge can be made of."""

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            ([], "a bridge has 1 to 64 links, not 0"),
            ([f"link{n}" for n in range(MAX_LINKS + 1)], "a bridge has 1 to 64 links, not 65"),
            (["a", "b", "a"], "two links are called 'a'"),
            (["a/b"], "a link's name has 1 to 64 characters"),
        ],
    )
    def test_links_are_few_and_have_names_of_their_own(self, names: list[str], message: str) -> None:
        """Anything else is refused with what is allowed."""
        with pytest.raises(ConfigError, match=message):
            BridgeConfig(tuple(LinkConfig(name, "loop://") for name in names))

    def test_others_may_not_command_devices_by_oversight(self) -> None:
        """An address that others can reach needs to be asked for."""
        config = BridgeConfig((LinkConfig("a", "loop://"),), host="0.0.0.0", port=0)
        with pytest.raises(ConfigError, match="--insecure"):
            Bridge(config)
