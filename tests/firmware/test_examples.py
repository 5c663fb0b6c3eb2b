"""The C examples of the core's README, and the Arduino sketch: compiled for every board, and run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import framelink
from firmware_sim import board_kind
from firmware_sim.board import Board
from firmware_sim.toolchain import AVR, CORE, CORTEX_M3, FIRMWARE, HOST, WARNINGS, Compiler, build
from framelink.errors import RequestRefused
from framelink.wire import Frame
from tests.support.pty_device import DEADLINE

README = (CORE / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```c\n(.*?)```", README, re.DOTALL)
TITLES = ["from zero", "ring", "tables", "files", "receiver"]
COMPILERS = {one.command: one for one in (HOST, replace(HOST, command="clang-14"), AVR, CORTEX_M3)}
RETRIES = 9
"""A busy computer may stop an emulator in mid-frame for longer than a frame may pause."""
YOURS = """
#include <stddef.h>
#include <stdint.h>
#define UART_DATA 0x55U
void uart_start(unsigned long baudrate);
int uart_read(void);
void uart_write(const uint8_t *bytes, size_t size);
uint32_t millis(void);
void uart_interrupt(void);
"""
PROTOTYPES = """
#include "fl_device.h"
uint32_t overruns(fl_device *device);
void hear(fl_receiver *receiver, uint8_t byte);
extern const fl_device_config counter;
extern const fl_device_config with_files;
void start_files(uint16_t boots);
"""
ON_OUR_PORT = """
#include "port.h"
#include "yours.h"
void uart_start(unsigned long baudrate) { (void)baudrate; (void)port_start(); }
int uart_read(void) { return port_read(); }
void uart_write(const uint8_t *bytes, size_t size) { port_write(bytes, size); }
uint32_t millis(void) { return port_millis(); }
"""
SIZES = """
#include "fl_device.h"
#include "fl_ring.h"
#include "fl_transfer.h"
typedef char receiver[sizeof(fl_receiver) == FL_MAX_DATA + 46 ? 1 : -1];
typedef char device[sizeof(fl_device) == (FL_SEQUENCED ? 3 * FL_MAX_DATA + 86 : 2 * FL_MAX_DATA + 74) ? 1 : -1];
typedef char transfer[sizeof(fl_transfer) == 25 ? 1 : -1];
typedef char ring[sizeof(fl_ring) == FL_RING_SIZE + 6 ? 1 : -1];
"""


def source(folder: Path, name: str, text: str) -> Path:
    """Write a source file."""
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_readme_has_the_examples_that_are_compiled() -> None:
    """None is left out."""
    assert len(EXAMPLES) == len(TITLES)


@pytest.mark.parametrize("compiler", COMPILERS.values(), ids=list(COMPILERS))
@pytest.mark.parametrize("example", EXAMPLES, ids=TITLES)
def test_an_example_compiles_without_a_warning(example: str, compiler: Compiler, tmp_path: Path) -> None:
    """As it stands, with what the reader has to bring declared before it."""
    path = source(tmp_path, "example.c", f"{YOURS}{PROTOTYPES}{example}")
    build(compiler, [path], flags=[*WARNINGS, "-Os", "-c"])


async def test_the_first_example_is_a_device(tmp_path: Path) -> None:
    """On a board, with our port in the reader's place."""
    parts = [
        source(tmp_path, "example.c", f'#include "yours.h"\n{EXAMPLES[0]}'),
        source(tmp_path, "glue.c", ON_OUR_PORT),
        CORE / "fl_device.c",
        CORE / "fl_frame.c",
    ]
    generated = {"yours.h": YOURS}
    board = Board("posix", firmware=parts, generated=generated)
    async with board, framelink.connect(board.url) as link:
        identity = await framelink.request(link, Frame(1, 0x02), retries=RETRIES)
        assert identity.data == bytes.fromhex("01 00 00 00 00 00 00 00")
        with pytest.raises(RequestRefused):
            await framelink.request(link, Frame(1, 0x21), retries=RETRIES)


@pytest.mark.parametrize("max_data", [16, 64, 246])
def test_the_ram_figures_of_the_readme_are_the_compilers(max_data: int, tmp_path: Path) -> None:
    """On AVR, for small and large payloads."""
    path = source(tmp_path, "sizes.c", SIZES)
    for sequenced in (0, 1):
        flags = [f"-DFL_MAX_DATA={max_data}", "-DFL_RING_SIZE=64", f"-DFL_SEQUENCED={sequenced}", "-c"]
        build(AVR, [path], flags=flags)


async def test_the_arduino_sketch_runs_on_an_avr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled as C++ against a tiny Arduino; its command, its parameter and its report work."""
    here = Path(__file__).with_name("arduino")
    kind = board_kind.KINDS["atmega328p"]
    cpp = replace(kind.compiler, flags=tuple(one for one in kind.compiler.flags if one != "-std=c99"))
    places = [f"-I{one}" for one in (here, FIRMWARE / "examples" / "arduino_echo")]
    monkeypatch.setitem(board_kind.KINDS, kind.name, replace(kind, compiler=cpp))
    parts = [here / "sketch.cpp", CORE / "fl_device.c", CORE / "fl_frame.c"]
    board = Board(kind.name, firmware=parts, flags=["-Wall", "-Wextra", "-Werror", *places])
    async with board, framelink.connect(board.url) as link:
        assert (await framelink.request(link, Frame(1, 0x30, b"hello"), retries=RETRIES)).data == b"hello"
        assert (
            await framelink.request(link, Frame(1, 0x04, b"\x01\x01"), retries=RETRIES)
        ).data == b"\x01\x01"
        await link.send(Frame(1, 0x05, b"\x32\x00"))
        while (report := await link.receive(DEADLINE)).cmd != 0x20:
            pass
        assert int.from_bytes(report.data, "little") == 501
