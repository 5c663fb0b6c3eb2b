"""How fast frames are found and made, beside the peers; hostile input; memory."""

from __future__ import annotations

import random
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from framelink.wire import Frame, encode
from framelink.wire.codec import python_encode
from tools.bench.peers import PEERS, READ, engine, ours, ours_stream, yahdlc_encode
from tools.bench.rounds import Row, medians

SIZES = (16, 64, 200)
CHUNKS = (1, 16, 64, 256)
LANGUAGES = ("C", "Python")
HOSTILE = {
    "false headers": b"\x55\xaa\x01\x02\xff",
    "a run of 55": b"\x55",
    "false headers with true tails": b"\x55\xaa\x01\x02\x04" + bytes(6) + b"\r\n",
    "the same, each of 259 bytes": b"\x55\xaa\x01\x02\xfa\r\n",  # a check of 253 bytes for every 7
}
GIGABYTE = 1 << 30


def run(*, quick: bool = False) -> list[Row]:
    """Return all rows."""
    rounds, count = (3, 400) if quick else (9, 4_000)
    rows: list[Row] = []
    for size in SIZES:
        rows += _decoding(size, count, rounds)
    rows += _small_reads(count // 4, rounds)
    rows += _encoding(count, rounds)
    rows += _hostile(rounds)
    rows.append(_memory(GIGABYTE // 20 if quick else GIGABYTE))
    return rows


def _decoding(size: int, count: int, rounds: int) -> list[Row]:
    counts = {peer.name: count // 10 if peer.slow else count for peer in PEERS}
    contenders = {peer.name: peer.make(size, counts[peer.name]) for peer in PEERS}
    for name, decode in contenders.items():
        if decode() != counts[name]:
            raise AssertionError(f"{name} found other frames than there are")
    spent = medians(contenders, rounds=rounds)
    own = spent["framelink"] / counts["framelink"]
    return [
        {
            "bench": f"decode {size} B",
            "name": name,
            "ns/frame": round(seconds / counts[name] * 1e9),
            "framelink is faster": round(seconds / counts[name] / own, 2),
        }
        for name, seconds in spent.items()
    ]


def _small_reads(count: int, rounds: int) -> list[Row]:
    """Return rows of the time that a frame takes, and a feed, when reads are small."""
    pairs = [(chunk, language) for chunk in CHUNKS for language in LANGUAGES]
    contenders = {
        f"{chunk} B a feed, {language}": ours(64, count, chunk=chunk, language=language)
        for chunk, language in pairs
    }
    spent = medians(contenders, rounds=rounds)
    size = len(ours_stream(64, count))
    return [
        {
            "bench": "small reads, 64 B",
            "name": name,
            "ns/frame": round(seconds / count * 1e9),
            "ns/feed": round(seconds / (size / chunk) * 1e9),
        }
        for (name, seconds), (chunk, _language) in zip(spent.items(), pairs, strict=True)
    ]


def _encoding(count: int, rounds: int) -> list[Row]:
    rows = []
    for size in SIZES:
        frame = Frame(1, 0x10, random.Random(size).randbytes(size))
        spent = medians(
            {
                "C": partial(_encode_often, encode, frame, count),
                "Python": partial(_encode_often, python_encode, frame, count),
                "yahdlc": partial(_encode_often, yahdlc_encode(), frame.data, count),
            },
            rounds=rounds,
        )
        rows += [
            {
                "bench": "encode",
                "name": f"{size} B, {language}",
                "ns/frame": round(seconds / count * 1e9),
                "C is faster": round(seconds / spent["C"], 2),
            }
            for language, seconds in spent.items()
        ]
    return rows


def _encode_often(encode: Callable[[Any], bytes], what: Frame | bytes, count: int) -> None:
    for _ in range(count):
        encode(what)


def _hostile(rounds: int) -> list[Row]:
    rows = []
    for language in LANGUAGES:
        clean = _ns_per_byte(ours_stream(64, 5_000), rounds, language)
        for name, unit in HOSTILE.items():
            small, large = (
                _ns_per_byte(unit * (size // len(unit)), rounds, language) for size in (200_000, 400_000)
            )
            rows.append(
                {
                    "bench": "hostile input",
                    "name": f"{name}, {language}",
                    "ns/byte": round(large, 2),
                    "share of clean speed": round(clean / large, 3),
                    "twice the input costs": round(2 * large / small, 2),
                }
            )
    return rows


def _ns_per_byte(stream: bytes, rounds: int, language: str) -> float:
    times = []
    for _ in range(rounds):
        receiver = engine(language)
        before = time.process_time()
        for at in range(0, len(stream), READ):
            receiver.feed(stream[at : at + READ])
        times.append(time.process_time() - before)
    return statistics.median(times) / len(stream) * 1e9


def _memory(total: int) -> Row:
    """Feed damaged frames in odd chunks and see how much memory the process has taken."""
    rng = random.Random(1)
    stream = bytearray(ours_stream(64, 14_000))
    for _ in range(2_000):
        stream[rng.randrange(len(stream))] ^= 1 << rng.randrange(8)
    chunk, fed, receiver = bytes(stream), 0, engine("C")
    receiver.feed(chunk)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    while fed < total:
        receiver.feed(chunk)
        fed += len(chunk)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    speed = fed / (time.process_time() - started) / 1e6
    return {
        "bench": "memory",
        "name": f"{fed / 1e6:.0f} MB fed, damaged",
        "grown KiB": grown,
        "MB/s": round(speed),
    }
