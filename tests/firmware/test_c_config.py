"""A frame format as the C core's choices."""

from __future__ import annotations

from pathlib import Path

import crcmod
import pytest

from firmware_sim.c_config import CRCS, config_header, main
from framelink.wire import CHECK_NAMES, DEFAULT_FORMAT, FrameFormat
from framelink.wire.check import check_named


@pytest.mark.parametrize("name", CRCS)
def test_every_crc_has_the_parameters_that_crcmod_computes_with(name: str) -> None:
    """The C core and crcmod mean the same by the same name."""
    crc = CRCS[name]
    init = int(f"{crc.init:016b}"[::-1], 2) if crc.reflected else crc.init
    compute = crcmod.mkCrcFun(0x1_0000 | crc.poly, init ^ crc.xor_out, crc.reflected, crc.xor_out)
    for data in (b"", b"123456789", bytes(range(256))):
        assert compute(data) == check_named(name).compute(data)


def test_every_16_bit_crc_that_a_format_may_have_is_known() -> None:
    """None is missing."""
    assert set(CRCS) == set(CHECK_NAMES) - {"sum8", "sum16", "xor8", "none"}


def test_a_smaller_build_receives_shorter_frames() -> None:
    """The payload's bound is the build's, never more than the format's."""
    assert "#define FL_MAX_DATA 64\n" in config_header(DEFAULT_FORMAT, max_data=64)
    assert "#define FL_MAX_DATA 255\n" in config_header(DEFAULT_FORMAT, max_data=1_000)
    assert "#define FL_CRC_TABLE 1\n" in config_header(DEFAULT_FORMAT, table=1)


def test_a_command_that_may_carry_nothing_carries_nothing() -> None:
    """An empty list of lengths refuses all."""
    header = config_header(FrameFormat(legal_lengths={0x10: [], 0x11: [2, 1]}))
    assert "((cmd) != 0x10 || 0) && ((cmd) != 0x11 || (size) == 1 || (size) == 2)" in header


def test_the_command_prints_the_header_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m firmware_sim.c_config FORMAT.toml` is what a firmware's build calls."""
    file = tmp_path / "f.toml"
    file.write_text('header = "7E"\ntail = ""\n', "utf-8")
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == config_header(FrameFormat(header=b"~", tail=b""))


def test_the_command_takes_a_schema_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The frame that it says, or the default one."""
    file = tmp_path / "s.toml"
    for frame, format in (('[frame]\nheader = "7E"\n', FrameFormat(header=b"~")), ("", FrameFormat())):
        file.write_text(f'{frame}[device]\nname = "pump"\n', "utf-8")
        assert main([str(file)]) == 0
        assert capsys.readouterr().out == config_header(format)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [("header = 1", 1, "header must be hex text"), ("=", 1, "f.toml"), (None, 1, "No such file")],
)
def test_a_bad_file_gets_one_line(
    text: str | None, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file's name and what is wrong."""
    file = tmp_path / "f.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    assert main([str(file)]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_without_a_file_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is exit code 2."""
    assert main([]) == 2
    assert "usage:" in capsys.readouterr().err
