"""`framelink ports`, `monitor`, `send` and `request`, against simulated devices on real ptys."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framelink import link, wire
from framelink.cli import output
from framelink.link import PortInfo
from framelink.wire import Frame
from tests.cli.conftest import Run
from tests.support.bench import MOTOR, SCHEMAS, WEATHER, running_bench
from tests.support.program import RunningProgram
from tests.support.pty_device import PtyDevice

MISSING = ("--connect-timeout", "0.05")
"""Options for a line that is not there: do not wait long."""

MISFIT = 'name = "cleared", type = "u32"'
MISFIT_REASON = "payload must have 4 bytes, not 1"
"""A field that the motor's reply is too short for."""


@pytest.fixture
def motor() -> Iterator[str]:
    """The URL of a simulated motor controller, address 2."""
    with running_bench(MOTOR) as urls:
        yield urls["motor"]


@pytest.fixture
def weather() -> Iterator[str]:
    """The URL of a simulated weather node, address 1, that reports by itself."""
    with running_bench(WEATHER) as urls:
        yield urls["weather"]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PtyDevice]:
    """A device that the test speaks for."""
    with PtyDevice(tmp_path) as device:
        yield device


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that has Ctrl-C pressed after so many results."""

    def arrange(count: int) -> list[str]:
        written: list[str] = []

        def write(text: str) -> None:
            written.append(text)
            if len(written) == count:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(output, "write", write)
        return written

    return arrange


class TestPorts:
    """`framelink ports`."""

    FOUND = PortInfo("/dev/ttyUSB7", "CP2102 bridge", "usb:10c4:ea60:0001", "Silicon Labs", "0001")

    def test_lists_a_table(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each port has a line with the path, what it is, and the URL that finds it under any name."""
        written: list[str] = []
        monkeypatch.setattr(output, "write", written.append)
        monkeypatch.setattr(link, "ports", lambda: [self.FOUND])
        assert run("ports").code == 0
        heading, line = "".join(written).splitlines()
        assert heading.split() == ["device", "description", "url"]
        assert re.split(r"\s{2,}", line.strip()) == ["/dev/ttyUSB7", "CP2102 bridge", "usb:10c4:ea60:0001"]

    def test_json_has_an_object_a_port(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """--json prints one object a line."""
        monkeypatch.setattr(link, "ports", lambda: [self.FOUND, self.FOUND])
        lines = run("ports", "--json").out.splitlines()
        assert len(lines) == 2
        assert json.loads(lines[0]) == vars(self.FOUND)

    def test_says_so_when_there_are_none(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty list is a success with a hint, and empty JSON for programs."""
        monkeypatch.setattr(link, "ports", list)
        done = run("ports")
        assert (done.code, done.out) == (0, "")
        assert "no serial ports" in done.error
        assert run("ports", "--json").out == ""


class TestRequest:
    """`framelink request`."""

    def test_prints_the_reply_with_its_fields(self, run: Run, motor: str) -> None:
        """The reply comes with its time, its bytes and the standard commands' fields."""
        done = run("request", motor, "--addr", "2", "--cmd", "0x02")
        assert (done.code, done.err) == (0, "")
        assert re.match(r"\d\d:\d\d:\d\d\.\d{3}  addr 0x02  cmd 0x82   13 bytes  02 ", done.out)
        assert done.out.endswith(
            "  identify  protocol=2  boots=1  type=258  firmware=[1, 0, 0]  name=motor\n"
        )

    def test_json_is_for_programs(self, run: Run, motor: str) -> None:
        """--json gives the frame and its meaning, bytes in hex."""
        done = run("request", motor, "--addr", "2", "--cmd", "1", "--data", "beef", "--json")
        reply = json.loads(done.out)
        assert reply.pop("time") > 0
        assert reply == {
            "addr": 2,
            "cmd": 0x81,
            "data": "beef",
            "message": "ping",
            "kind": "reply",
            "fields": {"bytes": "beef"},
        }

    def test_a_schema_names_the_devices_own_commands(self, run: Run, motor: str) -> None:
        """--schema decodes what the standard commands do not cover."""
        schema = SCHEMAS / "motor.toml"
        done = run("request", motor, "--addr", "2", "--cmd", "0x21", "--schema", schema, "--json")
        assert json.loads(done.out)["fields"] == {"cleared": False}

    def test_a_message_is_asked_by_its_name_and_fields(self, run: Run, motor: str) -> None:
        """With a schema; the values are JSON or text, and the standard messages need no schema."""
        asked = ("request", motor, "--addr", "2", "--json")
        schema = ("--schema", SCHEMAS / "motor.toml")
        assert json.loads(run(*asked, *schema, "jog", "steps=-7").out)["fields"] == {
            "position": -7,
            "jogs": 1,
        }
        done = run(*asked, *schema, "set", "parameter=setpoint", "value=250")
        assert json.loads(done.out)["fields"] == {"parameter": "setpoint", "value": 250}
        assert json.loads(run(*asked, "ping", "bytes=beef").out)["fields"] == {"bytes": "beef"}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("jog", "steps"), "write a field as FIELD=VALUE, not 'steps'"),
            (("jog", "steps=many"), "jog: steps must be a number, not 'many'"),
            (("fly",), "has no message 'fly'"),
            (("jog", "steps=1", "--data", "01"), "--data goes with --cmd"),
            (("jog", "--cmd", "1"), "either --cmd and --data, or MESSAGE"),
            ((), "either --cmd and --data, or MESSAGE"),
        ],
    )
    def test_a_message_that_cannot_be_asked_is_wrong_usage(
        self, run: Run, arguments: tuple[str, ...], message: str
    ) -> None:
        """Before the line is opened."""
        done = run("request", "/dev/nowhere", "--addr", "2", "--schema", SCHEMAS / "motor.toml", *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.error

    def test_a_refusal_is_a_failed_operation(self, run: Run, motor: str) -> None:
        """The device's refusal is one line with its reason."""
        done = run("request", motor, "--addr", "2", "--cmd", "0x65")
        assert (done.code, done.out) == (1, "")
        assert "refused command 0x65: unknown command (code 1)" in done.error

    def test_an_absent_device_is_a_failed_operation(self, run: Run, motor: str) -> None:
        """No reply is one line that says how often it was tried; --timeout and --retries hold."""
        done = run("request", motor, "--addr", "9", "--cmd", "1", "--timeout", "0.02", "--retries", "2")
        assert (done.code, done.out) == (1, "")
        assert "no reply from address 0x09 to command 0x01 within 0.02 s, sent 3 times" in done.error

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--addr", "255", "--cmd", "1"), "broadcast"),
            (("--addr", "1", "--cmd", "0x81"), "is a reply"),
            (("--addr", "1", "--cmd", "1", "--timeout", "0"), "timeout must be more than 0"),
            (("--addr", "1", "--cmd", "1", "--retries", "-1"), "retries must be 0 to 100"),
            (("--addr", "1", "--cmd", "1", "--baudrate", "0"), "baudrate"),
            (("--addr", "1", "--cmd", "1", "--baudrate", "2147483648"), "less than or equal to 2147483647"),
            (("--addr", "1", "--cmd", "1", "--data", "00" * 256), "at most 255 bytes"),
        ],
    )
    def test_wrong_values_are_wrong_usage(
        self, run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        """What cannot be sent is refused before the line is opened."""
        done = run("request", tmp_path / "missing", *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.error


class TestSend:
    """`framelink send`."""

    def test_the_frame_is_on_the_line(self, run: Run, device: PtyDevice) -> None:
        """The device gets the frame, whole, and the command says nothing."""
        done = run("send", device.path, "--addr", "1", "--cmd", "0x10", "--data", "010203")
        assert (done.code, done.out, done.err) == (0, "", "")
        assert device.read(12) == bytes.fromhex("55aa011003010203d0ec0d0a")

    def test_the_format_is_the_devices(self, run: Run, device: PtyDevice, tmp_path: Path) -> None:
        """--format sends the device's variant."""
        path = tmp_path / "variant.toml"
        path.write_text('header = "7E"\ncheck = "none"\ntail = ""\n')
        assert run("send", device.path, "--addr", "1", "--cmd", "2", "--format", path).code == 0
        assert device.read(4) == bytes.fromhex("7e010200")

    @pytest.mark.parametrize("verb", ["send", "request", "monitor"])
    def test_a_missing_line_is_a_failed_operation(self, run: Run, tmp_path: Path, verb: str) -> None:
        """A path that does not appear is an error after the wait, with what to do."""
        frame = () if verb == "monitor" else ("--addr", "1", "--cmd", "1")
        done = run(verb, tmp_path / "missing", *frame, *MISSING)
        assert (done.code, done.out) == (1, "")
        last = done.err.splitlines()[-1]
        assert last.startswith("framelink: not connected within 0.05 s")
        assert "missing does not exist; is the device plugged in?" in last

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("nonsense://x", "protocol 'nonsense' not known"),
            ("usb:zz", "usb:VID:PID"),
            ("{folder}", "is no serial port"),
        ],
    )
    def test_a_line_that_cannot_be_is_told_at_once(
        self, run: Run, tmp_path: Path, url: str, message: str
    ) -> None:
        """What waiting will not mend is one line at once, however long --connect-timeout allows."""
        url = url.format(folder=tmp_path)
        done = run("send", url, "--addr", "1", "--cmd", "1", "--connect-timeout", "0")
        assert (done.code, done.out) == (1, "")
        assert message in done.error


class TestMonitor:
    """`framelink monitor`."""

    def test_prints_frames_until_ctrl_c(self, run: Run, weather: str, stop_after: Any) -> None:
        """Every frame has a line with its time and fields with units; Ctrl-C is a clean stop."""
        lines = stop_after(3)
        done = run("monitor", weather, "--schema", SCHEMAS / "weather.toml")
        assert done.code == 0
        assert done.err.splitlines() == [
            f"framelink: {state}" for state in ("connecting", "connected", "disconnecting", "closed")
        ]
        assert len(lines) == 3
        for line in lines:
            assert re.fullmatch(
                r"\d\d:\d\d:\d\d\.\d{3}  addr 0x01  cmd 0x20    8 bytes  [0-9a-f ]{23}  weather"
                r"  temperature=[\d.]+ °C  humidity=[\d.]+ %  pressure=[\d.]+ hPa\n",
                line,
            )

    def test_json_is_for_programs(self, run: Run, weather: str, stop_after: Any) -> None:
        """--json has the same, numbers as numbers."""
        lines = stop_after(1)
        assert run("monitor", weather, "--json", "--schema", SCHEMAS / "weather.toml").code == 0
        frame = json.loads(lines[0])
        assert (frame["addr"], frame["cmd"], frame["message"], frame["kind"]) == (1, 0x20, "weather", "event")
        assert set(frame["fields"]) == {"temperature", "humidity", "pressure"}
        assert isinstance(frame["fields"]["pressure"], float)

    def test_without_a_schema_the_bytes_are_there(self, run: Run, weather: str, stop_after: Any) -> None:
        """What no schema explains is shown as it came."""
        lines = stop_after(1)
        run("monitor", weather)
        assert re.search(r"8 bytes  [0-9a-f ]{23}\n$", lines[0])

    @pytest.mark.parametrize("form", [(), ("--json",)])
    def test_what_does_not_fit_the_schema_says_why(self, device: PtyDevice, form: tuple[str, ...]) -> None:
        """An undecodable payload is shown with its bytes and the reason, in both forms."""
        with RunningProgram("monitor", str(device.path), *form) as program:
            program.wait_line("framelink: connected", stream="stderr")
            device.write(wire.encode(Frame(1, 0x85, b"\x01")))
            line = program.wait_line()
        reason = "telemetry: payload must have 2 bytes, not 1"
        if form:
            assert json.loads(line)["undecodable"] == reason
        else:
            assert line.endswith(f"1 bytes  01  undecodable: {reason}")

    def test_a_reply_that_does_not_fit_the_schema_says_why(self, run: Run, tmp_path: Path) -> None:
        """A request shows it like everything else: the bytes are there, in both forms."""
        schema = tmp_path / "motor.toml"
        text = (SCHEMAS / "motor.toml").read_text("utf-8").replace('name = "cleared", type = "bool"', MISFIT)
        schema.write_text(text, "utf-8")
        with running_bench(MOTOR) as urls:
            arguments = ("request", urls["motor"], "--addr", "2", "--cmd", "0x21", "--schema", schema)
            assert run(*arguments).out.endswith(
                "2 bytes  01 00  undecodable: clear_fault: " + MISFIT_REASON + "\n"
            )
            assert json.loads(run(*arguments, "--json").out)["undecodable"].endswith(MISFIT_REASON)

    @pytest.mark.parametrize(
        ("text", "message"),
        [("[[event]]", "missing required field"), ("name = ", "not a TOML file"), (None, "No such file")],
    )
    def test_an_unusable_schema_is_named(
        self, run: Run, tmp_path: Path, text: str | None, message: str
    ) -> None:
        """A schema file that cannot be used is one line that names it, before the line is opened."""
        path = tmp_path / "schema.toml"
        if text is not None:
            path.write_text(text)
        done = run("monitor", tmp_path / "missing", "--schema", path)
        assert (done.code, done.out) == (1, "")
        assert done.error.startswith(f"framelink: {path}: ")
        assert message in done.error

    def test_a_real_process_stays_through_an_unplugging_and_ends_on_sigterm(self, device: PtyDevice) -> None:
        """The line's end and its return are told on stderr; the frames go on; SIGTERM is a clean stop."""
        with RunningProgram("monitor", str(device.path), "--json") as program:
            program.wait_line("framelink: connected", stream="stderr")
            device.write(wire.encode(Frame(1, 0x30, b"a")))
            assert json.loads(program.wait_line())["data"] == "61"
            device.unplug()
            program.wait_line("framelink: lost", stream="stderr")
            device.plug()
            program.wait_line("framelink: connected", stream="stderr")
            device.write(wire.encode(Frame(1, 0x30, b"b")))
            assert json.loads(program.wait_line())["data"] == "62"
            done = program.stop(signal.SIGTERM)
        assert (done.code, done.out) == (0, "")
        assert "Traceback" not in done.err
