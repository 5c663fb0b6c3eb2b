"""`framelink sim`, `bridge` and `demo`: what runs until it is stopped."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import select
import signal
import socket
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from firmware_sim import SimulatedDevice
from firmware_sim.board_kind import KINDS
from framelink.cli import serve
from framelink.cli.config import link_names, load_config
from framelink.errors import ConfigError
from tests.cli.conftest import Run
from tests.support.bench import MOTOR, SCHEMAS, WEATHER, running_bench
from tests.support.program import PATIENCE, RunningProgram, run_process

BURNS = """
#include <stdio.h>
#include <stdlib.h>
#include "port.h"
uint16_t port_start(void)
{
    puts("ready: /dev/null");
    fputs("out of magic smoke\\n", stderr);
    exit(3);
}
int port_read(void) { return -1; }
void port_write(const uint8_t *bytes, size_t size) { (void)bytes; (void)size; }
uint32_t port_millis(void) { return 0; }
uint32_t port_overruns(void) { return 0; }
void *port_kept(size_t *size) { static uint32_t kept[64]; *size = sizeof kept; return kept; }
"""
"""The port of a board that ends as soon as it is ready."""


@pytest.fixture
def _burning_board(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make the board posix one that ends by itself."""
    source = tmp_path / "burns.c"
    source.write_text(BURNS, "utf-8")
    monkeypatch.setitem(KINDS, "posix", dataclasses.replace(KINDS["posix"], port=(source,)))


def fetched(url: str) -> Any:
    """Return what a URL of the bridge gives as JSON."""
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


class TestSim:
    """`framelink sim`."""

    def test_ports_are_ready_until_ctrl_c(self, tmp_path: Path) -> None:
        """Each under its name; afterwards nothing is left of them."""
        name = tmp_path / "dev"
        with RunningProgram("sim", "--link", str(name)) as program:
            ready = [program.wait_line("ready: ").removeprefix("ready: ") for _ in range(3)]
            assert ready == [str(name), f"{name}-motor", f"{name}-power"]
            asked = run_process("request", ready[1], "--addr", "2", "--cmd", "2", "--json")
            assert json.loads(asked.out)["fields"]["name"] == "motor"
            done = program.stop(signal.SIGINT)
        assert (done.code, done.err) == (0, "")
        assert list(tmp_path.iterdir()) == []

    def test_a_scenario_file_is_run(self, tmp_path: Path) -> None:
        """With one port, which has the name itself; SIGTERM stops it as well."""
        path = tmp_path / "bench.toml"
        path.write_text(MOTOR)
        with RunningProgram("sim", str(path), "--link", str(tmp_path / "dev")) as program:
            assert program.wait_line() == f"ready: {tmp_path / 'dev'}"
            assert program.stop(signal.SIGTERM).code == 0

    def test_a_killed_simulation_leaves_its_name_to_the_next(self, tmp_path: Path) -> None:
        """What kill -9 left behind is taken over, and nothing of it stays."""
        path, name = tmp_path / "bench.toml", tmp_path / "dev"
        path.write_text(MOTOR)
        with RunningProgram("sim", str(path), "--link", str(name)) as program:
            program.wait_line("ready: ")
            assert program.stop(signal.SIGKILL).code == -signal.SIGKILL
        assert name.is_symlink()
        assert len(list(tmp_path.iterdir())) == 3  # the scenario, the name and its lock
        with RunningProgram("sim", str(path), "--link", str(name)) as program:
            assert program.wait_line() == f"ready: {name}"
            assert run_process("request", str(name), "--addr", "2", "--cmd", "1").code == 0
            assert program.stop().code == 0
        assert list(tmp_path.iterdir()) == [path]

    def test_an_event_that_fails_is_one_line(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On stderr, as it happens."""
        path = tmp_path / "bench.toml"
        path.write_text(f'{MOTOR}[[port.event]]\nat = 0\naction = "reboot"\n')
        reboots: list[float] = []

        def reboot(_device: SimulatedDevice, now: float) -> None:
            reboots.append(now)
            if len(reboots) == 2:  # the first is its power-up
                signal.raise_signal(signal.SIGINT)
                raise OSError("it is stuck")

        monkeypatch.setattr(SimulatedDevice, "reboot", reboot)
        done = run("sim", path)
        assert (done.code, done.error) == (0, "framelink: port motor: reboot failed: it is stuck")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, "No such file"),
            ("x =", "not a TOML file"),
            ("", "port: 1 to 32 are needed"),
            (MOTOR.replace("[[port.device]]", 'kind = "memory"\n[[port.device]]'), "make it pty or tcp"),
        ],
    )
    def test_a_bad_scenario_is_one_line(
        self, run: Run, tmp_path: Path, text: str | None, message: str
    ) -> None:
        """It names the file."""
        path = tmp_path / "bench.toml"
        if text is not None:
            path.write_text(text)
        done = run("sim", path)
        assert (done.code, done.out) == (1, "")
        assert str(path) in done.error or "port 'motor'" in done.error
        assert message in done.error

    def test_a_name_that_is_taken_is_one_line(self, run: Run, tmp_path: Path) -> None:
        """By something that is no simulation's."""
        taken = tmp_path / "dev"
        taken.write_text("")
        assert "is no link of ours" in run("sim", "--link", tmp_path / "dev").error


class TestSimBoard:
    """`framelink sim --board`."""

    @pytest.mark.parametrize("board", KINDS)
    def test_a_board_is_ready_until_it_is_stopped(self, board: str, tmp_path: Path) -> None:
        """Under its name; it answers; SIGTERM stops it, and nothing is left."""
        name = tmp_path / "dev"
        with RunningProgram("sim", "--board", board, "--link", str(name)) as program:
            assert program.wait_line() == f"ready: {name}"
            asked = run_process("request", str(name), "--addr", "1", "--cmd", "2", "--retries", "9", "--json")
            fields = json.loads(asked.out)["fields"]
            assert (fields["type"], fields["name"]) == (0x0102, f"motor on {board}")
            done = program.stop(signal.SIGTERM)
        assert (done.code, done.out, done.err) == (0, "", "")
        assert list(tmp_path.iterdir()) == []

    def test_ctrl_c_stops_it_too(self) -> None:
        """Without a name, it is ready under its pty's."""
        with RunningProgram("sim", "--board", "posix") as program:
            assert Path(program.wait_line("ready: ").removeprefix("ready: ")).is_char_device()
            done = program.stop(signal.SIGINT)
        assert (done.code, done.err) == (0, "")

    def test_a_board_does_not_outlive_a_program_that_was_killed(self) -> None:
        """Its line vanishes with it."""
        with RunningProgram("sim", "--board", "posix") as program:
            path = Path(program.wait_line("ready: ").removeprefix("ready: "))
            line = os.open(path, os.O_RDWR | os.O_NOCTTY)
            program.stop(signal.SIGKILL)
            hung_up = select.poll()
            hung_up.register(line, 0)
            assert hung_up.poll(PATIENCE * 1_000)
            os.close(line)

    @pytest.mark.usefixtures("_burning_board")
    def test_a_board_that_ends_by_itself_is_one_line(self, run: Run) -> None:
        """And a failed operation."""
        done = run("sim", "--board", "posix")
        assert (done.code, done.out) == (1, "ready: /dev/null\n")
        assert done.error == "framelink: the board posix has ended: out of magic smoke"

    def test_missing_tools_are_one_line_that_names_the_packages(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """And a failed operation."""
        monkeypatch.setenv("PATH", str(tmp_path))
        done = run("sim", "--board", "atmega328p", "--link", tmp_path / "dev")
        assert (done.code, done.out) == (1, "")
        assert "needs cc, avr-gcc, not found on this computer" in done.error
        assert "sudo apt-get install gcc libc6-dev gcc-avr avr-libc libsimavr-dev libelf-dev" in done.error
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["sim", "--board", "z80"], "must be one of posix, atmega328p, cortex-m3, not 'z80'"),
            (["demo", "--board", "z80"], "must be one of posix, atmega328p, cortex-m3, not 'z80'"),
            (["sim", "x.toml", "--board", "posix"], "name a scenario, or a --schema, or a --board"),
        ],
    )
    def test_wrong_usage_is_told(self, run: Run, arguments: list[str], message: str) -> None:
        """In one line."""
        done = run(*arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.error


class TestBridge:
    """`framelink bridge`."""

    def test_lines_are_served_by_url(self, tmp_path: Path) -> None:
        """With their names, formats and schemas; a line that is not there yet is shown so."""
        with (
            running_bench(WEATHER, tmp_path / "node") as urls,
            RunningProgram(
                "bridge", urls["weather"], str(tmp_path / "none"), "--listen", "127.0.0.1:0",
                "--schema", str(SCHEMAS / "weather.toml"), "--schema", str(SCHEMAS / "motor.toml"),
            ) as program,
        ):  # fmt: skip
            url = program.wait_line("dashboard: ").removeprefix("dashboard: ")
            program.wait_line("framelink: node: connected", stream="stderr")
            program.wait_line("framelink: none: ", stream="stderr")
            devices: list[Any] = []
            while not (devices and devices[0]["firmware"]):
                links = fetched(f"{url}/api/links")
                devices = links[0]["devices"]
            assert [one["link"] for one in links] == ["node", "none"]
            assert (devices[0]["name"], devices[0]["schema"]) == ("weather", "weather")
            assert "does not exist" in links[1]["reason"]
            assert set(fetched(f"{url}/api/schemas")) == {"standard", "weather", "motor"}
            assert program.stop(signal.SIGTERM).code == 0

    def test_lines_are_served_by_a_file(self, tmp_path: Path) -> None:
        """Schemas are found beside it."""
        (tmp_path / "w.toml").write_text((SCHEMAS / "weather.toml").read_text("utf-8"), "utf-8")
        config = tmp_path / "framelink.toml"
        with running_bench(WEATHER, tmp_path / "node") as urls:
            config.write_text(
                f'listen = "127.0.0.1:0"\n[[link]]\nurl = "{urls["weather"]}"\nschema = "w.toml"\n'
            )
            with RunningProgram("bridge", "--config", str(config)) as program:
                url = program.wait_line("dashboard: ").removeprefix("dashboard: ")
                assert fetched(f"{url}/healthz")["status"] == "ok"
                assert program.stop().code == 0

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            ([], 2, "name the lines: either URLs or --config framelink.toml"),
            (["loop://", "--config", "x.toml"], 2, "name the lines: either URLs or --config"),
            (["--config", "x.toml"], 1, "x.toml: No such file"),
            (
                ["--config", "x.toml", "--schema", "y.toml"],
                2,
                "with --config, schema, format and baudrate stand in the file",
            ),
            (["--config", "x.toml", "--baudrate", "9600"], 2, "format and baudrate stand in the file"),
            (["loop://", "--listen", "127.0.0.1:" + "1" * 5_000], 2, "must be HOST:PORT"),
            (["loop://", "--listen", "a" * 70 + ":80", "--insecure"], 2, "must be HOST:PORT"),
            (["loop://", "--listen", "a..b:80", "--insecure"], 2, "must be HOST:PORT"),
            (["loop://"] * 70, 1, "a bridge has 1 to 64 links, not 70"),
            (["\udcff"], 2, r"must be printable text, not '\udcff'"),
            (["loop://", "--schema", "y.toml"], 1, "y.toml: No such file"),
            (["loop://", "--listen", "8765"], 2, "must be HOST:PORT such as 127.0.0.1:8765, not '8765'"),
            (["loop://", "--listen", "127.0.0.1:99999"], 2, "must be HOST:PORT"),
            (["loop://", "--listen", "0.0.0.0:8765"], 1, "lets anybody on the network command the devices"),
            (["nonsense://x", "--listen", "127.0.0.1:0"], 1, "nothing left to serve: no link can be opened"),
        ],
    )
    def test_what_cannot_be_served_is_told(
        self, run: Run, arguments: list[str], code: int, message: str
    ) -> None:
        """In one clear line, and nothing hangs."""
        done = run("bridge", *arguments)
        assert done.code == code
        assert message in done.err
        assert "Traceback" not in done.err

    def test_an_address_in_use_is_told(self, run: Run) -> None:
        """With what to do about it."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("bridge", "loop://", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        assert done.code == 1
        assert "stop the other program or choose another --listen" in done.err


class TestConfig:
    """`framelink.toml`."""

    def test_every_key_is_taken(self, tmp_path: Path) -> None:
        """Formats by table or by file."""
        (tmp_path / "f.toml").write_text('tail = ""\n')
        path = tmp_path / "framelink.toml"
        path.write_text(
            'listen = "[::1]:9000"\ninsecure = true\nallowed_hosts = ["bench.local"]\n'
            '[[link]]\nurl = "usb:1:2"\nname = "left"\nbaudrate = 9600\nformat = "f.toml"\n'
            '[[link]]\nurl = "/dev/ttyUSB1"\n[link.format]\nheader = "7E"\n'
        )
        config = load_config(path)
        assert (config.host, config.port, config.insecure) == ("::1", 9000, True)
        assert config.allowed_hosts == ("bench.local",)
        left, right = config.links
        assert (left.name, left.baudrate, left.format.tail) == ("left", 9600, b"")
        assert (right.name, right.format.header) == ("ttyUSB1", b"~")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("x =", "not a TOML file"),
            pytest.param("insecure = " + "1" * 5_000, "not a TOML file", id="long"),
            pytest.param("link = " + "[" * 100_000, "not a TOML file: nested too deeply", id="deep"),
            ("", "a bridge has 1 to 64 links, not 0"),
            ("speed = 1", "Object contains unknown field `speed`; must be one of listen, insecure,"),
            (
                '[[link]]\nurl = "a"\nspeed = 1',
                "`link[0]`; must be one of url, name, baudrate, schema, format",
            ),
            ('[[link]]\nurl = "a"\nbaudrate = 0', "Expected `int` >= 1 - at `link[0].baudrate`"),
            ('[[link]]\nurl = "a"\nbaudrate = 4294967296', "Expected `int` <= 2147483647"),
            ('listen = "a\\u0000b:80"\n[[link]]\nurl = "a"', "must be HOST:PORT"),
            (
                '[[link]]\nurl = "a"\n[link.format]\nmax_data = 0x' + "f" * 5_000,
                "link 'a': format: ",
            ),
            ("[[link]]\nurl = 5", "Expected `str`, got `int` - at `link[0].url`"),
            ('listen = "x"\n[[link]]\nurl = "a"', "must be HOST:PORT"),
            ('[[link]]\nurl = "a"\nname = "n"\n[[link]]\nurl = "b"\nname = "n"', "two links are called 'n'"),
            ('[[link]]\nurl = "a"\nname = "a/b"', "a link's name has 1 to 64 characters"),
            ('[[link]]\nurl = "a"\n[link.format]\nheader = ""', "header must be 1 to 4 bytes"),
        ],
    )
    def test_what_cannot_be_names_file_and_key(self, tmp_path: Path, text: str, message: str) -> None:
        """In one line."""
        path = tmp_path / "framelink.toml"
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert message in str(caught.value)

    def test_links_get_distinct_names_from_their_urls(self) -> None:
        """The last part, numbered where it is taken; names that were given stay."""
        given = [("", "/dev/ttyUSB0"), ("", "/other/ttyUSB0"), ("x", "y"), ("", "a+b#"), ("", "///")]
        assert link_names(given) == ["ttyUSB0", "ttyUSB0-2", "x", "a-b-", "link"]


class TestDemo:
    """`framelink demo`."""

    def test_three_devices_are_served_until_it_is_stopped(self) -> None:
        """Each on a line of its own."""
        with RunningProgram("demo", "--no-browser", "--listen", "127.0.0.1:0") as program:
            url = program.wait_line("dashboard: ").removeprefix("dashboard: ")
            assert set(fetched(f"{url}/healthz")["links"]) == {"weather", "motor", "power"}
            done = program.stop(signal.SIGINT)
        assert done.code == 0
        assert "Traceback" not in done.err

    def test_a_board_is_one_more_line(self) -> None:
        """Real firmware beside the simulated devices; it is identified by its schema."""
        with RunningProgram(
            "demo", "--no-browser", "--listen", "127.0.0.1:0", "--board", "atmega328p"
        ) as program:
            url = program.wait_line("dashboard: ").removeprefix("dashboard: ")
            devices: list[Any] = []
            while not (devices and devices[0]["firmware"]):
                links = {one["link"]: one for one in fetched(f"{url}/api/links")}
                devices = links["atmega328p"]["devices"]
            assert (devices[0]["name"], devices[0]["schema"]) == ("motor on atmega328p", "motor")
            assert set(links) == {"weather", "motor", "power", "atmega328p"}
            assert program.stop(signal.SIGINT).code == 0

    @pytest.mark.usefixtures("_burning_board")
    def test_a_board_that_ends_is_told_and_the_demo_goes_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        """On stderr, in one line."""
        told: list[str] = []

        async def run_beside_it() -> None:
            async with serve._demo_board("posix") as boards:
                assert boards == {"posix": "/dev/null"}
                while not told:
                    await asyncio.sleep(0)
                    told.extend(capsys.readouterr().err.splitlines())

        asyncio.run(run_beside_it())
        assert told == ["framelink: the board posix has ended: out of magic smoke"]

    def test_the_page_is_opened(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """In the user's browser, once it is served; closing the program does not wait for the browser."""
        opened: list[str] = []

        def browse(url: str) -> bool:
            opened.append(url)
            os.kill(os.getpid(), signal.SIGINT)
            return True

        monkeypatch.setattr(webbrowser, "open", browse)
        done = run("demo", "--listen", "127.0.0.1:0")
        assert done.code == 0
        assert done.out == f"dashboard: {opened[0]}\n"
        assert "Traceback" not in done.err

    def test_a_page_that_no_browser_opens_is_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On stderr, with its address."""
        opened: list[str] = []

        def works(url: str) -> bool:
            opened.append(url)
            return True

        def fails(_url: str) -> bool:
            raise webbrowser.Error("none")

        monkeypatch.setattr(webbrowser, "open", works)
        serve._open_page("http://x")
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(webbrowser, "open", fails)
        serve._open_page("http://x")
        assert opened == ["http://x"]
        assert "the page is at http://x" in capsys.readouterr().err
