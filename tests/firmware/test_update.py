"""Firmware update on the Cortex-M3 board: a cut at any moment leaves the old firmware running."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import zlib
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import framelink
from firmware_sim.board import Board
from firmware_sim.toolchain import FIRMWARE
from firmware_sim.update import FACTORY_VERSION, SLOT_SIZE, build_image, main, pack_image, updatable_board
from framelink.errors import RequestRefused
from framelink.link import AsyncLink
from framelink.message import Message, Schema

SCHEMA = Schema.load(FIRMWARE.parent / "schemas" / "update.toml")
NEW, NEWER = (1, 1, 0), (2, 0, 7)
PATIENCE, RETRIES = 0.5, 20
"""How requests are sent: a busy computer may stop an emulator in mid-frame for longer than a frame may pause."""


@dataclass(frozen=True)
class Target:
    """A board that runs, and a link to it."""

    board: Board
    link: AsyncLink

    async def call(self, command: str, /, **fields: Any) -> dict[str, Any]:
        """Send a request and return the reply's fields."""
        frame = SCHEMA.encode(1, command, fields)
        message = SCHEMA.decode(await framelink.request(self.link, frame, timeout=PATIENCE, retries=RETRIES))
        assert isinstance(message, Message)
        return dict(message.fields)

    async def version(self) -> tuple[int, ...]:
        """Return the version that identify tells."""
        return tuple((await self.call("identify"))["firmware"])

    async def open(self, image: bytes) -> dict[str, Any]:
        """Open the image to write."""
        return await self.call(
            "file_open", mode="write", size=len(image), crc=zlib.crc32(image), name="new.img"
        )

    async def write(self, opened: dict[str, Any], image: bytes, at: int) -> None:
        """Write a block."""
        block = image[at : at + opened["block"]]
        await self.call("file_write", handle=opened["handle"], offset=at, data=block)

    async def put(self, image: bytes) -> None:
        """Transfer an image, from where the device says on."""
        opened = await self.open(image)
        for at in range(opened["next"], len(image), opened["block"]):
            await self.write(opened, image, at)
        await self.call("file_close", handle=opened["handle"])

    async def activate(self, version: tuple[int, ...]) -> None:
        """Restart with the image that was put, and wait until it answers."""
        boots = (await self.call("identify"))["boots"]
        assert tuple((await self.call("activate", version=list(version)))["version"]) == version
        while (await self.call("identify"))["boots"] == boots:
            pass

    async def cut(self) -> None:
        """Reset the chip, and see that its old firmware runs."""
        before = await self.version()
        await self.board.reset()
        assert await self.version() == before


@asynccontextmanager
async def running() -> AsyncIterator[Target]:
    """Run the board for a block, with its factory firmware."""
    board = updatable_board()
    async with board, framelink.connect(board.url) as link:
        yield Target(board, link)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    """A board with its factory firmware."""
    async with running() as one:
        yield one


def damaged(image: bytes, at: int) -> bytes:
    """Return the image with one bit that is wrong."""
    return image[:at] + bytes([image[at] ^ 0x10]) + image[at + 1 :]


async def test_new_firmware_runs_once_it_is_activated(target: Target) -> None:
    """From the factory's to the first slot, to the second, and to the first again."""
    assert await target.version() == FACTORY_VERSION
    assert (await target.call("version"))["place"] == "factory"
    for version, place in ((NEW, "slot_1"), (NEWER, "slot_2"), (NEW, "slot_1")):
        await target.put(build_image(version))
        told = await target.call("version")
        assert (told["is_waiting"], tuple(told["waiting"])) == (True, version)
        await target.activate(version)
        assert await target.version() == version
        assert (await target.call("version"))["place"] == place
        await target.cut()


async def test_the_firmware_before_can_be_activated_again(target: Target) -> None:
    """It is in the other slot still."""
    for version in (NEW, NEWER):
        await target.put(build_image(version))
        await target.activate(version)
    for version in (NEW, NEWER):
        await target.activate(version)
        assert await target.version() == version


async def test_a_cut_after_any_step_leaves_the_old_firmware_running(target: Target) -> None:
    """The chip is reset after each block, before and after the close; the transfer goes on each time."""
    image, cuts = build_image(NEW), 0
    opened = await target.open(image)
    await target.cut()
    for at in range(0, len(image), opened["block"]):
        opened = await target.open(image)
        assert opened["next"] == at
        await target.write(opened, image, at)
        await target.cut()
        cuts += 1
    assert cuts > 20
    await target.put(image)
    await target.cut()
    assert (await target.call("version"))["is_waiting"] is True
    await target.activate(NEW)
    assert await target.version() == NEW


async def test_a_cut_in_mid_block_leaves_the_old_firmware_running(target: Target) -> None:
    """Half a frame has come when the chip is reset, or when the cable is pulled."""
    image = build_image(NEW)
    opened = await target.open(image)
    fields = {"handle": opened["handle"], "offset": 0, "data": image[: opened["block"]]}
    frame = framelink.encode(SCHEMA.encode(1, "file_write", fields))
    line = os.open(target.board.url, os.O_RDWR | os.O_NOCTTY)
    os.write(line, frame[:100])
    os.close(line)
    await target.cut()
    assert (await target.open(image))["next"] == 0
    await target.board.unplug()
    await target.board.replug()
    async with framelink.connect(target.board.url) as link:
        again = Target(target.board, link)
        await again.put(image)
        await again.activate(NEW)
        assert await again.version() == NEW


async def test_a_cut_after_activation_leaves_one_of_both_running(target: Target) -> None:
    """The chip is reset as soon as it has answered, or before."""
    await target.put(build_image(NEW))
    await target.link.send(SCHEMA.encode(1, "activate", {"version": list(NEW)}))
    await target.board.reset()
    if await target.version() == FACTORY_VERSION:
        await target.activate(NEW)
    assert await target.version() == NEW


async def test_activation_may_be_repeated(target: Target) -> None:
    """It names what is to run, so a repeat after the restart is answered too."""
    await target.put(build_image(NEW))
    await target.activate(NEW)
    boots = (await target.call("identify"))["boots"]
    assert tuple((await target.call("activate", version=list(NEW)))["version"]) == NEW
    assert (await target.call("identify"))["boots"] == boots


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda image: damaged(image, 0), "no firmware for this device"),
        (lambda image: damaged(image, 20), "no firmware for this device"),
        (lambda image: damaged(image, len(image) - 1), "no firmware for this device"),
        (lambda image: image[:-1], "no firmware for this device"),
        (lambda image: image[:3], "no firmware for this device"),
        (lambda image: pack_image(image[20:], NEW, device_type=0x0102), "no firmware for this device"),
        (lambda image: image + bytes(SLOT_SIZE), "larger than the slot"),
    ],
    ids=["magic", "code", "last byte", "too short", "no image", "another device's", "too large"],
)
async def test_what_is_no_firmware_is_never_run(target: Target, wrong: Any, reason: str) -> None:
    """It is refused at its close, cannot be activated, and the old firmware goes on."""
    with pytest.raises(RequestRefused, match=reason):
        await target.put(wrong(build_image(NEW)))
    with pytest.raises(RequestRefused, match="no firmware of that version is waiting"):
        await target.call("activate", version=list(NEW))
    assert (await target.call("version"))["is_waiting"] is False
    await target.cut()
    await target.put(build_image(NEW))
    await target.activate(NEW)


async def test_a_wrong_check_of_the_transfer_is_refused(target: Target) -> None:
    """The image is sound, but not what was announced."""
    image = build_image(NEW)
    opened = await target.call("file_open", mode="write", size=len(image), crc=1, name="x")
    for at in range(0, len(image), opened["block"]):
        await target.write(opened, image, at)
    with pytest.raises(RequestRefused, match="size or CRC-32 is wrong"):
        await target.call("file_close", handle=opened["handle"])
    with pytest.raises(RequestRefused):
        await target.call("activate", version=list(NEW))
    await target.cut()


async def test_only_the_version_that_waits_is_activated(target: Target) -> None:
    """Another is refused, and nothing restarts."""
    await target.put(build_image(NEW))
    with pytest.raises(RequestRefused):
        await target.call("activate", version=list(NEWER))
    await target.cut()


async def test_a_transfer_never_touches_the_firmware_that_runs(target: Target) -> None:
    """Half of a third image, then a reset: the second still runs."""
    await target.put(build_image(NEW))
    await target.activate(NEW)
    third = build_image(NEWER)
    for _ in range(10):
        opened = await target.open(third)
        await target.write(opened, third, opened["next"])
        await target.cut()
    assert await target.version() == NEW


async def test_power_brings_the_factory_firmware() -> None:
    """The slots are RAM on this chip, and the page says so."""
    async with running() as target:
        await target.put(build_image(NEW))
        await target.activate(NEW)
    async with running() as target:
        assert await target.version() == FACTORY_VERSION


async def test_the_pages_example_replaces_the_firmware(tmp_path: Path) -> None:
    """As it stands in docs/firmware.md, but for the line's and the files' places."""
    page = (FIRMWARE.parent.parent / "docs" / "firmware.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "new.img").write_bytes(build_image(NEW))
    places = {
        '"/tmp/dev"': repr(str(tmp_path / "dev")),
        'Path("new.img")': repr(tmp_path / "new.img").replace("PosixPath", "Path"),
        "firmware_sim/schemas": str(FIRMWARE.parent / "schemas"),
    }
    for old, new in places.items():
        assert old in example
        example = example.replace(old, new)
    async with updatable_board(tmp_path / "dev"):
        done = await asyncio.create_subprocess_exec(sys.executable, "-c", example, stdout=PIPE)
        said, _ = await done.communicate()
    assert done.returncode == 0
    assert "1.1.0" in said.decode() or "(1, 1, 0)" in said.decode()


def test_the_command_makes_an_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or says in one line why not."""
    assert main(["image", "1.1.0", str(tmp_path / "new.img")]) == 0
    assert (tmp_path / "new.img").read_bytes() == build_image(NEW)
    assert main(["image", "1.1.0", str(tmp_path / "none" / "new.img")]) == 1
    assert "No such file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["image", "1.1", "new.img"])
    assert ended.value.code == 2
