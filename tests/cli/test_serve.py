"""`framelink sim`, `bridge` and `demo`: what runs until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from framelink.cli import serve
from framelink.cli.config import link_names, load_config
from framelink.errors import ConfigError
from tests.cli.conftest import Run
from tests.support.bench import MOTOR, SCHEMAS, WEATHER, running_bench
from tests.support.program import RunningProgram, run_process


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

    @pytest.mark.parametrize(
        ("text", "message"),
        [(None, "No such file"), ("x =", "not a TOML file"), ("", "port: 1 to 32 are needed")],
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
        assert str(path) in done.error
        assert message in done.error

    def test_a_name_that_is_taken_is_one_line(self, run: Run, tmp_path: Path) -> None:
        """By something that is no simulation's."""
        taken = tmp_path / "dev"
        taken.write_text("")
        assert "is no link of ours" in run("sim", "--link", tmp_path / "dev").error


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
                "with --config, schema and format stand in the file",
            ),
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
            ("x =", "not TOML"),
            ("", "a bridge has 1 to 64 links, not 0"),
            ("speed = 1", "Object contains unknown field `speed`"),
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
