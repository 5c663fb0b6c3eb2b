"""Files on the C device and on the simulated one: the same steps, the same answers."""

from __future__ import annotations

import random
import zlib
from functools import partial
from typing import Any

from firmware_sim.models import Refusal
from firmware_sim.storage import Storage
from tests.firmware.file_bench import BLOCK, CONTENTS, ROOM, Call, FileBench, Refused


def test_the_simulated_storage_and_the_c_storage_answer_alike() -> None:
    """10,000 random steps of three files, resets between them: the same fields, refusals by code, and files."""
    rng, simulated, handles, refusals = random.Random(5), Storage(BLOCK, capacity=ROOM), (0, 0), 0
    bench = FileBench()
    calls: tuple[Call, Call] = (bench.call, partial(simulated_call, simulated))
    for _ in range(10_000):
        if rng.random() < 0.01:
            bench.reset()
            simulated.reboot()
        name, fields = random_step(rng)
        pair = []
        for handle, call in zip(handles, calls, strict=True):
            if "handle" in fields:
                fields["handle"] = handle
            pair.append(outcome(call, name, fields))
        ours, its = pair
        if name == "file_open" and isinstance(ours, dict):
            handles = (ours["handle"], its["handle"])
        assert without_handle(ours) == without_handle(its), (name, fields)
        refusals += not isinstance(ours, dict)
    assert 1_000 < refusals < 9_000
    assert {name: bench.get(name) for name in bench.names()} == simulated.files
    assert simulated.files


def random_step(rng: random.Random) -> tuple[str, dict[str, Any]]:
    """Return a step of a transfer that may or may not make sense just now."""
    name, data = rng.choice("abc"), rng.choice(CONTENTS)
    at = rng.randrange(-(-len(data) // BLOCK) + 1) * BLOCK
    steps: list[tuple[str, dict[str, Any]]] = [
        ("file_open", {"mode": "write", "size": len(data), "crc": zlib.crc32(data), "name": name}),
        ("file_open", {"mode": "read", "size": 0, "crc": 0, "name": name}),
        ("file_write", {"handle": 0, "offset": at, "data": data[at : at + BLOCK]}),
        ("file_read", {"handle": 0, "offset": at}),
        ("file_close", {"handle": 0}),
    ]
    return rng.choices(steps, (1, 1, 40, 4, 2))[0]


def simulated_call(storage: Storage, command: str, /, **fields: Any) -> dict[str, Any]:
    """Ask the simulated storage as the C device is asked."""
    try:
        return dict(storage.commands[command](fields))
    except Refusal as refusal:
        raise Refused(refusal.code, refusal.text) from None


def outcome(call: Call, command: str, fields: dict[str, Any]) -> Any:
    """Return a step's fields, or the code of its refusal."""
    try:
        return call(command, **fields)
    except Refused as refused:
        return int(refused.args[0])


def without_handle(result: Any) -> Any:
    """Return what both devices must have in common."""
    return (
        {key: value for key, value in result.items() if key != "handle"}
        if isinstance(result, dict)
        else result
    )
