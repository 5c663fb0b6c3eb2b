"""Scenario files: what they say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim import MODELS, Scenario, demo_scenario
from framelink.errors import ConfigError

PORT = '[[port]]\nname = "a"\n'
DEVICE = '[[port.device]]\nmodel = "weather"\naddr = 1\n'


def test_the_demo_shows_every_model_on_a_line_of_its_own() -> None:
    """One of its lines is not clean."""
    demo = demo_scenario()
    assert [device.model for port in demo.port for device in port.device] == list(MODELS)
    assert [bool(port.fault) for port in demo.port] == [False, False, True]


def test_a_scenario_is_read_from_a_file(tmp_path: Path) -> None:
    """With several devices on one line, faults and events."""
    path = tmp_path / "bench.toml"
    path.write_text(
        'name = "bench"\nseed = 5\n' + PORT + DEVICE + DEVICE.replace("addr = 1", "addr = 2")
        + "[[port.fault]]\nlost = 0.1\nstart = 1\nstop = 2\n[[port.event]]\nat = 3\naction = 'unplug'\n"
    )  # fmt: skip
    scenario = Scenario.load(path)
    assert (scenario.name, scenario.seed) == ("bench", 5)
    (port,) = scenario.port
    assert [one.addr for one in port.device] == [1, 2]
    assert (port.fault[0].lost, port.fault[0].stop) == (0.1, 2)
    assert (port.event[0].at, port.event[0].action) == (3, "unplug")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port", "f.toml: not a TOML file: "),
        ("", "f.toml: port: 1 to 32 are needed"),
        ("seed = 'x'\n", "f.toml: Expected `int`, got `str` - at `seed`"),
        ("ports = []\n", "f.toml: Object contains unknown field `ports`"),
        (PORT, "f.toml: port 'a': at least one [[port.device]] is needed"),
        (PORT.replace('"a"', '"a/b"') + DEVICE, "port 'a/b': name must be letters, digits, - and _"),
        (PORT + DEVICE + PORT + DEVICE, "port 'a': another port has that name"),
        (PORT + DEVICE + DEVICE, "port 'a': two devices have the same addr"),
        (PORT + 'kind = "usb"\n' + DEVICE, "f.toml: Invalid enum value 'usb' - at `port[0].kind`"),
        (
            PORT + DEVICE.replace("weather", "toaster"),
            "model must be one of weather, motor, power, not 'toaster'",
        ),
        (PORT + DEVICE.replace("addr = 1", "addr = 255"), "addr must be 1 to 254, not 255"),
        (PORT + DEVICE + "period = 70000\n", "period must be 0 to 65535 ms, not 70000"),
        (PORT + DEVICE + "firmware = [1, 2, 300]\n", "firmware must be three numbers from 0 to 255"),
        (PORT + DEVICE + "[[port.fault]]\nlost = 2\n", "port 'a': fault: lost must be 0 to 1, not 2"),
        (PORT + DEVICE + "[[port.fault]]\ndelay = -1\n", "fault: delay must be 0 or more, not -1"),
        (
            PORT + DEVICE + "[[port.fault]]\nstart = 2\nstop = 1\n",
            "fault: stop must be later than start (2 s)",
        ),
        (
            PORT + DEVICE + '[[port.event]]\nat = -1\naction = "reboot"\n',
            "event: at must be 0 or more seconds",
        ),
        (PORT + DEVICE + '[[port.event]]\nat = 1\naction = "explode"\n', "Invalid enum value 'explode'"),
    ],
)
def test_a_scenario_that_cannot_be_names_file_key_and_what_is_allowed(text: str, message: str) -> None:
    """One line each."""
    with pytest.raises(ConfigError) as caught:
        Scenario.parse(text, source="f.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scenario_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """And one that is not there is the system's error."""
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        Scenario.load(path)
    with pytest.raises(OSError, match="No such file"):
        Scenario.load(tmp_path / "none")
