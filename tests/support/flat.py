"""The C core as firmware_sim/firmware/wasm/fl_wasm.c exports it: as a library of this machine, or as Wasm."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from firmware_sim.c_config import FLAG, NAME, config_header
from firmware_sim.toolchain import CORE, FIRMWARE, HOST, WARNINGS, build
from framelink.wire import REASONS, Frame, FrameFormat, Ledger
from tools.make_wasm import build_wasm

STATES = "HACLDKT"
FLAT = FIRMWARE / "wasm" / "fl_wasm.c"
SOURCES = (FLAT, CORE / "fl_frame.c", CORE / "fl_feed.c")


class Module(Protocol):
    """Functions that take and return numbers, and the memory that they share with us."""

    frame: struct.Struct
    """How a frame lies in memory: address of the data, size, addr, cmd."""

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function."""

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the memory."""

    def write(self, address: int, data: bytes) -> None:
        """Change bytes of the memory."""


class NativeModule:
    """The core compiled for this machine."""

    frame = struct.Struct("<QHBB4x")

    def __init__(self, format: FrameFormat, table: int, flags: Sequence[str] = ("-O2",)) -> None:
        header = config_header(format, table=table)
        options = [*WARNINGS, *flags, FLAG, "-shared", "-fPIC"]
        library = build(HOST, SOURCES, flags=options, generated={NAME: header}, name="core.so")
        self._library = ctypes.CDLL(str(library))

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function."""
        function: Any = getattr(self._library, f"flat_{name}")
        function.restype = ctypes.c_void_p if name in ("input", "output", "frames") else ctypes.c_uint32
        return int(function(*[ctypes.c_uint32(one) for one in arguments]) or 0)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the memory."""
        return ctypes.string_at(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Change bytes of the memory."""
        ctypes.memmove(address, data, len(data))


class WasmModule:
    """The core compiled to WebAssembly, run by wasmtime."""

    frame = struct.Struct("<IHBB")

    def __init__(self, module: Path) -> None:
        import wasmtime  # noqa: PLC0415 - an import of 0.1 s that only these tests need

        self._store = wasmtime.Store()
        compiled = wasmtime.Module.from_file(self._store.engine, str(module))
        assert list(compiled.imports) == []
        exports: Any = wasmtime.Instance(self._store, compiled, []).exports(self._store)
        self._exports = exports
        self._memory = exports["memory"]

    @classmethod
    def of(cls, format: FrameFormat, table: int) -> WasmModule:
        """Build and load the module for a frame format."""
        return cls(build_wasm(config_header(format, table=table)))

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function."""
        function: Callable[..., int | None] = self._exports[name]
        return int(function(self._store, *arguments) or 0)

    def _at(self, address: int) -> int:
        base = ctypes.cast(self._memory.data_ptr(self._store), ctypes.c_void_p).value
        assert base is not None
        return base + address

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the memory."""
        return ctypes.string_at(self._at(address), size)

    def write(self, address: int, data: bytes) -> None:
        """Change bytes of the memory."""
        ctypes.memmove(self._at(address), data, len(data))


class FlatReceiver:
    """A receiver and an encoder in C, with the face of the Python ones."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._input = module.call("input")
        self._output = module.call("output")
        self._frames = module.call("frames")
        self._room = module.call("input_size")
        module.call("reset")

    @property
    def state(self) -> str:
        """The letter of the place that the next byte belongs to."""
        return STATES[self._module.call("state")]

    @property
    def ledger(self) -> Ledger:
        """The account of all bytes so far."""
        call = self._module.call
        return Ledger(
            received=call("received"),
            delivered=call("delivered"),
            noise={reason: call("count", number) for number, reason in enumerate(REASONS)},
            pending=call("pending"),
            frames=call("count", len(REASONS)),
        )

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take a block of bytes; return the frames that it completes."""
        frames: list[Frame] = []
        for at in range(0, len(chunk), self._room):
            block = chunk[at : at + self._room]
            self._module.write(self._input, block)
            frames += self._all(self._module.call("feed", len(block)), "more")
        return frames

    def push(self, byte: int) -> list[Frame]:
        """Take one byte; return the frames that it completes."""
        return self._all(self._module.call("push", byte), "next")

    def flush(self) -> list[Frame]:
        """Tell that the line is silent; return the frames that lay inside the candidate."""
        return self._all(self._module.call("idle"), "idle")

    def encode(self, frame: Frame) -> bytes:
        """Return the frame's bytes, none if the format cannot carry it."""
        self._module.write(self._input, frame.data)
        size = self._module.call("encode", frame.addr, frame.cmd, len(frame.data))
        return self._module.read(self._output, size)

    def _all(self, count: int, more: str) -> list[Frame]:
        frames: list[Frame] = []
        while count:
            frames += self._take(count)
            count = self._module.call(more)
        return frames

    def _take(self, count: int) -> list[Frame]:
        layout, read = self._module.frame, self._module.read
        found = layout.iter_unpack(read(self._frames, layout.size * count))
        return [Frame(addr, cmd, read(address, size)) for address, size, addr, cmd in found]
