"""The C engine: the very same as the Python one, and a good citizen of the interpreter."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import pickle
import random
import re
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import framelink
from firmware_sim.toolchain import CORE, HOST, WARNINGS, build
from framelink.errors import FormatError
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Receiver, State, encode
from framelink.wire import engine as engine_module
from framelink.wire.codec import python_encode
from framelink.wire.engine import LANGUAGE, PURE_VARIABLE, load_native, native
from framelink.wire.frame import PythonFrame
from tests.support.damage import DAMAGES, random_frame, random_splits
from tests.support.engines import PythonReceiver, run_python

ROOT = Path(framelink.__file__).parent.parent
SOURCES = ROOT / "framelink" / "wire" / "native"
WAIT = 60.0
"""Seconds after which something that must happen has failed."""

pytestmark = pytest.mark.skipif(
    os.environ.get(PURE_VARIABLE, "0") not in ("", "0"), reason="Python is to do all the work"
)

BODIES = st.one_of(
    st.binary(max_size=24),
    st.binary(min_size=200, max_size=255),
    st.sampled_from([b"\x55", b"\x55\xaa", b"\x55\xaa\x01\x02\x03", b"\r\n"]).map(lambda unit: unit * 20),
    st.binary(max_size=30).map(lambda data: encode(Frame(1, 2, data))),
)
WIRES = st.builds(lambda cmd, data: encode(Frame(1, cmd, data)), st.integers(0, 255), BODIES)
PIECES = st.one_of(
    WIRES,
    BODIES,
    st.builds(lambda wire, end: wire[:end], WIRES, st.integers(0, 264)),
    st.builds(lambda wire, at: wire[:at] + b"\x00" + wire[at + 1 :], WIRES, st.integers(0, 264)),
)
CHUNKS = st.lists(st.lists(PIECES, max_size=4).map(b"".join), max_size=8)


def test_the_extension_is_in_use() -> None:
    """Where there is a compiler, installing framelink has built it."""
    assert LANGUAGE == "C", "the extension is not built: a C compiler is missing, or it failed"
    assert native is not None
    assert isinstance(Receiver(), native.Engine)
    assert encode is native.encode


def see(receiver: Any, frames: list[Frame]) -> tuple[object, ...]:
    """Return all that a call has left to see."""
    state = receiver.state, receiver.pending, receiver.ledger
    return frames, receiver.offsets, *state


@settings(max_examples=300, deadline=None)
@given(chunks=CHUNKS)
def test_both_engines_see_the_same_in_every_chunk(chunks: list[bytes]) -> None:
    """Frames, offsets, state, pending and ledger after each call, whatever the bytes are."""
    ours, theirs = Receiver(locate=True), PythonReceiver(locate=True)
    for chunk in chunks:
        assert see(ours, ours.feed(chunk)) == see(theirs, theirs.feed(chunk))
    assert see(ours, ours.flush()) == see(theirs, theirs.flush())


@pytest.mark.parametrize("largest", [2, 20, 30_000])
def test_both_engines_see_the_same_in_a_long_damaged_stream(largest: int) -> None:
    """Also where a call finds more frames than the core gives at once, and after silences."""
    rng = random.Random(largest)
    wires = [encode(random_frame(rng, 3 if largest > 100 else 255)) for _ in range(10_000)]
    damages = list(DAMAGES.values())
    stream = b"".join(rng.choice(damages)(one, rng) if rng.random() < 0.1 else one for one in wires)
    ours, theirs = Receiver(locate=True), PythonReceiver(locate=True)
    for chunk in random_splits(stream[: 20_000 * largest], rng, largest):
        assert see(ours, ours.feed(chunk)) == see(theirs, theirs.feed(chunk))
        if rng.random() < len(chunk) / 10_000:
            assert see(ours, ours.flush()) == see(theirs, theirs.flush())
    assert ours.ledger.frames > 200


@settings(max_examples=100, deadline=None)
@given(addr=st.integers(0, 255), cmd=st.integers(0, 255), data=st.binary(max_size=300))
def test_both_encoders_write_the_same(addr: int, cmd: int, data: bytes) -> None:
    """The same bytes, or the same refusal."""
    results: list[object] = []
    for function in (encode, python_encode):
        try:
            results.append(function(Frame(addr, cmd, data)))
        except FormatError as error:
            results.append(str(error))
    assert results[0] == results[1]


def test_every_number_of_data_bytes_survives() -> None:
    """All the ways in which a check can be cut into blocks."""
    rng, receiver = random.Random(0), Receiver()
    for size in range(256):
        frame = Frame(rng.randrange(256), rng.randrange(256), rng.randbytes(size))
        assert encode(frame) == python_encode(frame)
        assert receiver.feed(encode(frame)) == [frame]


def test_the_constants_of_carry_less_multiplication_are_derived() -> None:
    """x^-128, x^-64 and 1 / P in fl_fold.h are what polynomial arithmetic gives."""
    text = (CORE / "fl_fold.h").read_text("utf-8")
    defined = re.findall(r"^#define (FL_FOLD_\w+) (0x[0-9A-F]+)(?:ULL)?$", text, re.MULTILINE)
    constants = {name: int(value, 16) for name, value in defined}
    p = 0x14003

    def power(exponent: int) -> int:
        """Return x^-exponent modulo P: dividing by x, an odd polynomial gets P added first."""
        value = 1
        for _ in range(exponent):
            value = (value ^ p if value & 1 else value) >> 1
        return value

    inverse, rest = 0, 1
    for bit in range(128):
        if rest >> bit & 1:
            inverse, rest = inverse | 1 << bit, rest ^ p << bit
    assert constants == {
        "FL_FOLD_BY_128": power(128),
        "FL_FOLD_BY_64": power(64),
        "FL_FOLD_INVERSE_HIGH": inverse >> 64,
        "FL_FOLD_INVERSE_LOW": inverse & (1 << 64) - 1,
    }


# --- Who does the work ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "format",
    [
        FrameFormat(max_data=10),
        FrameFormat(legal_lengths={2: [3]}),
        FrameFormat(check="xmodem"),
        FrameFormat(header=b"\x55"),
    ],
)
def test_another_format_is_done_in_python_and_gives_the_same_frames(format: FrameFormat) -> None:
    """Silently: only the speed differs."""
    frame, receiver = Frame(1, 2, b"abc"), Receiver(format, locate=True)
    wire = encode(frame, format)
    assert wire == python_encode(frame, format)
    assert receiver.format is PythonReceiver(format).format is format
    (got,) = receiver.feed(b"\x00" + wire + wire[:-1])
    assert (type(got), got) == (Frame, frame)
    assert (receiver.offsets, receiver.pending, receiver.ledger.frames) == ([1], len(wire) - 1, 1)
    assert receiver.state is State.TAIL
    assert receiver.flush() == []
    assert receiver.pending == 0


def test_an_equal_format_is_as_good_as_the_default() -> None:
    """It need not be the same object."""
    assert Receiver(FrameFormat()).format == Receiver().format == DEFAULT_FORMAT
    assert encode(Frame(1, 2), FrameFormat()) == encode(Frame(1, 2), DEFAULT_FORMAT) == encode(Frame(1, 2))
    assert encode(frame=Frame(1, 2), format=DEFAULT_FORMAT) == encode(Frame(1, 2))
    assert encode(PythonFrame(1, 2)) == encode(Frame(1, 2))


def test_pure_python_is_forced_by_the_environment() -> None:
    """Nothing is lost: frames, offsets, ledger, link to the command line."""
    code = (
        "import framelink as f\n"
        "r = f.Receiver(locate=True)\n"
        "w = f.encode(f.Frame(1, 16, b'abc'))\n"
        "print(r.feed(b'U' + w + w[:6]), r.offsets, r.state, r.pending, r.ledger.as_dict())\n"
        "print(r.flush(), type(r.feed(w)[0]).__mro__[1].__name__, isinstance(r.feed(w)[0], f.Frame))\n"
    )
    native_out, pure_out = run_python(code), run_python(code, pure=True)
    assert native_out.splitlines()[0] == pure_out.splitlines()[0]
    assert (native_out.splitlines()[1], pure_out.splitlines()[1]) == ("[] object True", "[] _Fields True")


def test_the_extension_may_be_missing_or_unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is None, and Python does the work."""
    assert load_native() is native
    monkeypatch.setenv(PURE_VARIABLE, "1")
    assert load_native() is None
    monkeypatch.setenv(PURE_VARIABLE, "0")
    monkeypatch.delattr("framelink.wire._native", raising=False)
    monkeypatch.setitem(sys.modules, "framelink.wire._native", None)
    assert load_native() is None
    assert importlib.import_module("framelink.wire.engine") is engine_module


def test_a_subclass_of_receiver_may_do_more() -> None:
    """Its own arguments, and feed as it likes."""

    class Counting(Receiver):
        def __init__(self, name: str) -> None:
            super().__init__(locate=True)
            self.name, self.calls = name, 0

        def feed(self, chunk: bytes | bytearray | memoryview) -> list[Frame]:
            self.calls += 1
            return super().feed(chunk)

    counting = Counting("one")
    assert counting.feed(b"\x00" + encode(Frame(1, 2))) == [Frame(1, 2)]
    assert (counting.calls, counting.offsets, counting.name) == (1, [1], "one")

    class Careless(Receiver):
        def __init__(self) -> None:
            pass

    careless = Careless()
    assert careless.feed(encode(Frame(1, 2))) == [Frame(1, 2)]


# --- A good citizen ---------------------------------------------------------------------------------------


CALLS = [
    "",
    'Frame(1, 2, b"x")',
    'Frame(1, 2, memoryview(b"abcd")[::2])',
    "Frame(1, 2, bytes(1_000))",
    "Frame(256)",
    'Frame(cmd="x")',
    'Frame(data="text")',
    "Frame(color=1)",
    'Frame._make((1, 2, b""))',
    "Frame._make([1, 2])",
    "Frame._make(5)",
    "frame.data",
    "repr(frame)",
    "hash(frame)",
    "list(frame)",
    "frame == Frame(1, 2)",
    "frame < (1,)",
    "frame < 5",
    "frame[1]",
    "frame[:2]",
    "frame[5]",
    "frame.count(1)",
    "frame.index(9)",
    "frame._asdict()",
    "frame._replace(cmd=1)",
    "frame._replace(cmd=999)",
    "frame.__reduce__()",
    "pickle.loads(pickle.dumps(frame))",
    'Subclass(1, 2, b"x")',
    "receiver.feed(wire * 3)",
    "receiver.feed(wire * 600)",
    "receiver.feed(bytearray(wire[:5]))",
    "receiver.feed(memoryview(wire)[::2])",
    'receiver.feed("x")',
    "receiver.flush()",
    "receiver.state",
    "receiver.ledger",
    "receiver.format",
    "located.feed(wire * 600 + wire[:7])",
    "located.flush()",
    "located.offsets",
    "Receiver()",
    "Receiver(locate=True)",
    "Receiver(FrameFormat(max_data=3)).feed(wire)",
    "Receiver(5)",
    "Receiver(1, 2)",
    "Receiver(pace=1)",
    "encode(frame)",
    "encode(frame, FrameFormat(max_data=3))",
    "encode(Frame(1, 2, bytes(256)))",
    "encode(5)",
    "encode()",
    "encode(format=None)",
    "",
][1:-1]
"""Calls of all that the extension has, good and bad."""


def caller(source: str) -> Callable[[], object]:
    """Return a function that makes a call, and takes what misuse raises."""
    code = compile(source, "a call", "eval")
    names = {
        "Frame": Frame,
        "FrameFormat": FrameFormat,
        "Receiver": Receiver,
        "encode": encode,
        "Subclass": type("Subclass", (Frame,), {}),
        "pickle": pickle,
        "wire": encode(Frame(1, 2, b"abc")),
        "frame": Frame(1, 2, bytes(100)),
        "receiver": Receiver(),
        "located": Receiver(locate=True),
    }

    def call() -> None:
        with contextlib.suppress(TypeError, ValueError, IndexError, AttributeError):
            eval(code, names)

    return call


def standing() -> tuple[int, ...]:
    """Return how many blocks of memory, and references to the types, there are."""
    gc.collect()
    return sys.getallocatedblocks(), sys.getrefcount(Frame), sys.getrefcount(Receiver), sys.getrefcount(1)


@pytest.mark.parametrize("source", CALLS)
def test_nothing_is_leaked(source: str) -> None:
    """Two hundred calls leave as many blocks of memory as there were, and references to the types.

    A cache of the interpreter may grow at first, so one round of several will do.
    """
    call, rounds = caller(source), []
    for _ in range(5):
        before = standing()
        for _ in range(200):
            call()
        rounds.append(max(new - old for new, old in zip(standing(), before, strict=True)))
    assert min(rounds) < 50


def test_a_frame_is_one_small_object_that_the_garbage_collector_does_not_know() -> None:
    """The payload lies inside it."""
    frame = Receiver().feed(encode(Frame(1, 2, bytes(200))))[0]
    assert not gc.is_tracked(frame)
    assert gc.get_referents(frame) == []
    assert sys.getsizeof(frame) == sys.getsizeof(Frame()) + 200 <= 5 * 8 + 200


def test_a_receiver_in_a_cycle_is_collected() -> None:
    """Also one that a Python engine stands in for."""
    for format in (DEFAULT_FORMAT, FrameFormat(max_data=3)):
        gone: list[bool] = []

        class Holder(Receiver):
            def __del__(self, gone: list[bool] = gone) -> None:
                gone.append(True)

        holder: Any = Holder(format)
        holder.myself = holder
        del holder
        gc.collect()
        assert gone == [True]


STRANGE = [
    r"None",
    r"True",
    r"-1",
    r"0",
    r"255",
    r"256",
    r"1<<70",
    r"1.5",
    r'"text"',
    r'"\ud800"',
    r'b""',
    r'b"\x55\xaa"',
    r"bytearray(5)",
    r"[]",
    r"[1]",
    r"()",
    r"(1,2)",
    r'(1,2,b"x")',
    r"{}",
    r"{1}",
    r"object()",
    r"type",
    r"slice(1)",
    r"range(3)",
    r'memoryview(b"abcdef")[::-1]',
    r'memoryview(b"abcdef").cast("B",(2,3))',
    r"Receiver",
    r"Frame",
    r'Frame(1,2,b"x")',
    r"PythonFrame(1,2)",
    r"DEFAULT_FORMAT",
    r"FrameFormat(max_data=1)",
]
"""Arguments, sensible and other."""
UNTRIED = ("__class__", "addr", "cmd", "data")  # of a frame's attributes: no methods


def test_strange_arguments_never_do_worse_than_raise() -> None:
    """Everything is called with everything: what comes back is a result or a Python exception."""
    rng, raised, strange = random.Random(1), 0, [eval(one) for one in STRANGE]
    for _ in range(4_000):
        receiver, frame = Receiver(), Frame(1, 2, b"abc")
        methods = [getattr(frame, name) for name in dir(Frame) if name not in UNTRIED]
        calls: list[Any] = [Frame, encode, Receiver, receiver.feed, receiver.flush, *methods]
        call = rng.choice([one for one in [*calls, *vars(Frame).values()] if callable(one)])
        positional = rng.choices(strange, k=rng.randrange(4))
        named = {rng.choice(["addr", "cmd", "data", "format", "locate", "x"]): rng.choice(strange)}
        try:
            call(*positional, **(named if rng.random() < 0.3 else {}))
        except Exception:  # noqa: BLE001 - any will do
            raised += 1
        ledger = receiver.ledger
        assert ledger.received == ledger.delivered + ledger.noise_bytes + ledger.pending
        assert (frame.addr, frame.cmd, frame.data) == (1, 2, b"abc")
    assert raised > 1_000


def test_a_released_or_readonly_view_is_python_business() -> None:
    """A view that is gone raises ValueError; a locked bytearray can be resized again afterwards."""
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ValueError, match="released"):
        Receiver().feed(view)
    data = bytearray(encode(Frame(1, 2)))
    assert Receiver().feed(data) == [Frame(1, 2)]
    data.clear()


def test_threads_may_share_a_receiver() -> None:
    """A call is done before another one begins: no frame is lost, none is made of two threads' bytes."""
    receiver, wire = Receiver(), encode(Frame(1, 2, bytes(50))) * 20
    found: list[int] = []
    begin = threading.Barrier(4)

    def work() -> None:
        begin.wait(WAIT)
        found.extend(len(receiver.feed(wire)) for _ in range(500))

    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    sys.setswitchinterval(old)
    assert sum(found) == receiver.ledger.frames == 4 * 500 * 20


def test_a_call_from_the_garbage_collector_in_between_does_no_harm() -> None:
    """A finaliser may feed the same receiver while that makes its list of frames."""
    receiver, wire = Receiver(locate=True), encode(Frame(1, 2, b"abc"))

    class Feeding:
        def __del__(self) -> None:
            receiver.feed(wire[:5])
            receiver.flush()
            Receiver.__init__(receiver)

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            garbage: Any = Feeding()
            garbage.myself = garbage
            del garbage
            frames = receiver.feed(wire * 3 + wire[:4])
            assert all(frame == Frame(1, 2, b"abc") for frame in frames)
    finally:
        gc.set_threshold(*threshold)
    ledger = receiver.ledger
    assert ledger.received == ledger.delivered + ledger.noise_bytes + ledger.pending


def test_every_interpreter_has_a_module_of_its_own() -> None:
    """A subinterpreter decodes, ends, and leaves this one as it was."""
    name = next(one for one in ("_interpreters", "_xxsubinterpreters") if importlib.util.find_spec(one))
    interpreters = importlib.import_module(name)
    code = (
        "import framelink, sys; w = framelink.encode(framelink.Frame(1, 2, b'x'));"
        "assert framelink.wire.engine.LANGUAGE == 'C';"
        "assert framelink.Receiver().feed(w * 2) == [framelink.Frame(1, 2, b'x')] * 2;"
        "assert id(framelink.Frame) != {}"
    )
    for _ in range(3):
        one = interpreters.create()
        setting = f"import sys; sys.path[:] = {sys.path!r}; "
        assert interpreters.run_string(one, setting + code.format(id(Frame))) is None
        interpreters.destroy(one)
    assert Receiver().feed(encode(Frame(1, 2))) == [Frame(1, 2)]


@pytest.mark.parametrize("compiler", ["cc", "clang-14"])
def test_the_extension_compiles_without_a_warning(compiler: str) -> None:
    """All but the pedantic one, which Python's own slots break."""
    made_by = type(HOST)(HOST.machine, compiler, ("gcc", "clang-14"), ("-std=c99",))
    flags = [one for one in WARNINGS if one != "-Wpedantic"]
    headers = ["-isystem", sysconfig.get_paths()["include"]]
    config = ["-DFL_MAX_DATA=255", "-DFL_CRC_TABLE=4096", "-O3", "-shared", "-fPIC", "-fvisibility=hidden"]
    core = [CORE / "fl_frame.c", CORE / "fl_feed.c"]
    sources = [*sorted(SOURCES.glob("*.c")), *core]
    made = build(
        made_by, sources, flags=[*flags, *config, *headers], include=(SOURCES, CORE), name="native.so"
    )
    assert made.exists()
