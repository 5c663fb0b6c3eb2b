"""Scenario files: what they say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim import MODELS, Scenario, Simulation, demo_scenario, scenario_of
from firmware_sim.scenario import DEFAULT_PERIOD
from framelink.errors import ConfigError, SchemaError
from framelink.wire import Frame, encode

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
        pytest.param("seed = " + "[" * 100_000, "f.toml: not a TOML file: nested too deeply", id="deep"),
        pytest.param("seed = " + "1" * 5_000, "f.toml: not a TOML file: ", id="long"),
        ("", "f.toml: port: 1 to 32 are needed"),
        ("seed = 'x'\n", "f.toml: Expected `int`, got `str` - at `seed`"),
        ("ports = []\n", "f.toml: Object contains unknown field `ports`; must be one of name, seed, port"),
        (
            "seed = 0x" + "f" * 5_000,
            "f.toml: seed must be a number of at most 64 bits, not a number of 20000",
        ),
        (PORT, "f.toml: port 'a': at least one [[port.device]] is needed"),
        (PORT.replace('"a"', '"a/b"') + DEVICE, "port 'a/b': name must be letters, digits, - and _"),
        (PORT + DEVICE + PORT + DEVICE, "port 'a': another port has that name"),
        (PORT + DEVICE + DEVICE, "port 'a': two devices have the same addr"),
        (
            PORT + 'kind = "usb"\n' + DEVICE,
            "f.toml: Invalid enum value 'usb' - at `port[0].kind`; must be one of memory, pty, tcp",
        ),
        (
            PORT + DEVICE + "[[port.fault]]\nbit_error = 1\n",
            "unknown field `bit_error` - at `port[0].fault[0]`; must be one of direction, start, stop, bit_errors",
        ),
        (PORT + DEVICE + 'name = "' + "n" * 248 + '"\n', "name must be at most 247 bytes, not 248"),
        (
            PORT + DEVICE.replace("weather", "toaster"),
            "model must be one of weather, motor, power, not 'toaster'",
        ),
        (PORT + DEVICE.replace("addr = 1", "addr = 255"), "addr must be 1 to 254, not 255"),
        (PORT + DEVICE + "period = 70000\n", "period must be 0, or 10 to 65535 ms, not 70000"),
        (PORT + DEVICE + "period = 1\n", "period must be 0, or 10 to 65535 ms, not 1"),
        (PORT + DEVICE + "firmware = [1, 2, 300]\n", "firmware must be three numbers from 0 to 255"),
        (PORT + DEVICE + "[[port.fault]]\nlost = 2\n", "port 'a': fault: lost must be 0 to 1, not 2"),
        (PORT + DEVICE + "[[port.fault]]\ndelay = -1\n", "fault: delay must be 0 or more seconds, not -1"),
        (PORT + DEVICE + "[[port.fault]]\ndelay = inf\n", "fault: delay must be 0 or more seconds, not inf"),
        (PORT + DEVICE + "[[port.fault]]\nstart = inf\n", "fault: start must be 0 or more seconds, not inf"),
        (PORT + DEVICE + "[[port.fault]]\nchunk = -1\n", "fault: chunk must be 0 to 262144, not -1"),
        (
            PORT + DEVICE + "[[port.fault]]\nchunk = -" + "1" * 400,
            "fault: chunk must be 0 to 262144, not a number of 1326 bits",
        ),
        (
            PORT + DEVICE + "[[port.fault]]\nbaudrate = 0x" + "f" * 5_000,
            "fault: baudrate must be 0 to 2147483647, not a number of 20000 bits",
        ),
        (
            PORT + DEVICE + "[[port.fault]]\nstart = 2\nstop = 1\n",
            "fault: stop must be later than start (2 s)",
        ),
        (
            PORT + DEVICE + '[[port.event]]\nat = -1\naction = "reboot"\n',
            "event: at must be 0 or more seconds",
        ),
        (
            PORT + DEVICE + '[[port.event]]\nat = inf\naction = "reboot"\n',
            "event: at must be 0 or more seconds, not inf",
        ),
        (
            PORT + DEVICE + '[[port.event]]\nat = 1\naction = "explode"\n',
            "must be one of cut_reboot, reboot,",
        ),
    ],
)
def test_a_scenario_that_cannot_be_names_file_key_and_what_is_allowed(text: str, message: str) -> None:
    """One line each."""
    with pytest.raises(ConfigError) as caught:
        Scenario.parse(text, source="f.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["weather", "n" * 247, "ü" * 123])
def test_every_name_that_a_scenario_takes_fits_an_identify_reply(name: str) -> None:
    """A device never refuses to say what it is."""
    scenario = Scenario.parse(PORT + DEVICE + f'name = "{name}"\n')
    (device,) = Simulation(scenario).devices("a")
    (answer,) = device.feed(encode(Frame(1, 0x02)), 0.0)
    assert answer[3] == 0x82


def test_only_ports_that_other_programs_can_open_are_reachable() -> None:
    """One in memory is for this program alone."""
    Scenario.parse(PORT + 'kind = "tcp"\n' + DEVICE).require_reachable()
    with pytest.raises(ConfigError, match="port 'a': no other program can open one of kind memory"):
        Scenario.parse(PORT + 'kind = "memory"\n' + DEVICE).require_reachable()


def test_a_scenario_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """And one that is not there is the system's error."""
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        Scenario.load(path)
    with pytest.raises(OSError, match="No such file"):
        Scenario.load(tmp_path / "none")


PUMP = '[device]\nname = "pump"\n[[event]]\nid = 0x20\nname = "report"\nfields = [{ name = "flow", type = "u8" }]\n'


def test_a_device_may_be_made_of_a_schema_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path is relative to the scenario file, wherever the program was started."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "pump.toml").write_text(PUMP)
    path = tmp_path / "bench" / "bench.toml"
    path.write_text(PORT + '[[port.device]]\nschema = "pump.toml"\naddr = 3\n')
    monkeypatch.chdir(tmp_path)
    scenario = Scenario.load(path)
    assert scenario.port[0].device[0].schema == str(tmp_path / "bench" / "pump.toml")
    (device,) = Simulation(scenario).devices("a")
    assert (device.name, device.addr) == ("pump", 3)


def test_a_schema_file_alone_is_a_line_with_one_device(tmp_path: Path) -> None:
    """At address 1, which reports."""
    path = tmp_path / "pump.toml"
    path.write_text(PUMP)
    (device,) = Simulation(scenario_of(path)).devices("device")
    assert (device.name, device.addr) == ("pump", 1)
    assert device.next_due == DEFAULT_PERIOD / 1_000


@pytest.mark.parametrize(
    ("device", "error", "message"),
    [
        ('schema = "none.toml"', ConfigError, "port 'a': schema .*none.toml: No such file"),
        ('schema = "bad.toml"', SchemaError, "bad.toml: Object missing required field `id`"),
        ('schema = "bad.toml"\nmodel = "motor"', ConfigError, "a device has a model or a schema, not both"),
        ("", ConfigError, "model must be one of weather, motor, power, not ''"),
    ],
)
def test_a_schema_file_that_cannot_be_used_is_told(
    device: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """In one line, with its name."""
    (tmp_path / "bad.toml").write_text("[[event]]\n")
    path = tmp_path / "bench.toml"
    path.write_text(PORT + f"[[port.device]]\n{device}\naddr = 3\n")
    with pytest.raises(error, match=message):
        Scenario.load(path)
