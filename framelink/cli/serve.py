"""`framelink sim`, `bridge` and `demo`: what runs until it is stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import webbrowser
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelink.cli import options, output
from framelink.cli.running import run_until_stopped
from framelink.errors import ConfigError, ToolchainError

if TYPE_CHECKING:
    from firmware_sim import Scenario
    from firmware_sim.board import Board
    from framelink.bridge import BridgeConfig


def _parse_board(text: str) -> str:
    from firmware_sim.board_kind import KINDS

    if text not in KINDS:
        raise typer.BadParameter(f"must be one of {', '.join(KINDS)}, not {text!r}")
    return text


BoardName = Annotated[
    str | None,
    typer.Option(
        parser=_parse_board,
        metavar="BOARD",
        help="The C firmware on a board: posix, atmega328p (under simavr) or cortex-m3 (under QEMU).",
    ),
]


def sim(
    scenario: Annotated[
        Path | None,
        typer.Argument(metavar="[SCENARIO.toml]", help="Devices and faults; the demo's by default."),
    ] = None,
    *,
    link: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A stable name for the first port; the others are PATH-NAME."),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(metavar="SCHEMA.toml", help="One device, made of its schema alone, at address 1."),
    ] = None,
    board: BoardName = None,
    firmware: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SOURCE.c",
            help="With --board: firmware of your own in place of the demo; several times for several files.",
        ),
    ] = None,
) -> None:
    """Run simulated devices, or the real firmware on a board, on virtual serial ports, until Ctrl-C.

    Example: framelink sim --link /tmp/dev

    Example: framelink sim --board atmega328p --firmware thermostat.c --schema thermostat.toml
    """
    if firmware:
        if board is None or schema is None or scenario is not None:
            raise typer.BadParameter(
                "--firmware needs the --board that it runs on and the --schema that it speaks"
            )
        run_until_stopped(_sim_board(board, link, firmware, schema))
        return
    if sum(one is not None for one in (scenario, schema, board)) > 1:
        raise typer.BadParameter("name a scenario, or a --schema, or a --board: each is a line of its own")
    if board is None:
        run_until_stopped(_sim(_scenario(scenario, schema), link))
    else:
        run_until_stopped(_sim_board(board, link))


def _scenario(path: Path | None, schema: Path | None) -> Scenario:
    from firmware_sim import Scenario, demo_scenario, scenario_of

    if schema is not None:
        return scenario_of(schema)
    return demo_scenario() if path is None else Scenario.load(path)


async def _sim(scenario: Scenario, link: Path | None) -> None:
    import asyncio

    from firmware_sim import Simulation

    scenario.require_reachable()
    with _told("firmware_sim"):
        async with Simulation(scenario, link=link) as simulation:
            for url in simulation.urls.values():
                output.write(f"ready: {url}\n")
            await asyncio.Event().wait()


async def _sim_board(
    kind: str, link: Path | None, sources: Sequence[Path] = (), schema: Path | None = None
) -> None:
    from firmware_sim.board import Board
    from firmware_sim.board_kind import DEVICE
    from framelink.message import Schema

    own = (*sources, *DEVICE) if sources else None
    speaks = None if schema is None else Schema.load(schema)
    async with Board(kind, link=link, firmware=own, schema=speaks) as board:
        output.write(f"ready: {board.url}\n")
        await board.wait()


def bridge(
    urls: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL]…", parser=options.parse_text, help="The lines, as `framelink monitor` takes them."
        ),
    ] = None,
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="framelink.toml", help="Lines, schemas and more from a file.")
    ] = None,
    listen: options.Listen = None,
    schema: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SCHEMA.toml", help="What the payloads mean; several: each device says which is its own."
        ),
    ] = None,
    baudrate: options.BaudrateOfUrls = None,
    format: options.FormatFile = None,
    insecure: options.Insecure = False,
) -> None:
    """Serve the frames of real lines to browsers, until Ctrl-C; on stderr what becomes of the lines.

    Example: framelink bridge /dev/ttyUSB0 --schema weather.toml
    """
    from framelink.cli.config import load_config

    if (config is None) == (not urls):
        raise typer.BadParameter("name the lines: either URLs or --config framelink.toml")
    if config is not None and (schema or format or baudrate):
        raise typer.BadParameter(
            "with --config, schema, format and baudrate stand in the file, at their [[link]]"
        )
    if config is not None:
        served = load_config(config)
    else:
        served = _config_of(urls or [], schema or [], baudrate or options.DEFAULT_BAUDRATE, format)
    run_until_stopped(_bridge(_listening(served, listen, insecure=insecure)))


def _config_of(urls: list[str], schemas: list[Path], baudrate: int, format: Path | None) -> BridgeConfig:
    """Return the config of lines that are given by URL alone."""
    from framelink.bridge import BridgeConfig, LinkConfig
    from framelink.cli.config import link_names
    from framelink.message import Schema

    names = link_names([("", url) for url in urls])
    common = LinkConfig(
        name="",
        url="",
        baudrate=baudrate,
        format=options.load_format(format),
        schemas=tuple(Schema.load(one) for one in schemas),
    )
    pairs = zip(names, urls, strict=True)
    return BridgeConfig(tuple(dataclasses.replace(common, name=name, url=url) for name, url in pairs))


def demo(
    *,
    listen: options.Listen = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
    insecure: options.Insecure = False,
    board: BoardName = None,
) -> None:
    """Show simulated devices in the browser: virtual serial ports, real links, bridge, dashboard.

    Example: framelink demo --listen 127.0.0.1:9000 --no-browser --board atmega328p
    """
    run_until_stopped(_demo(listen, board, no_browser=no_browser, insecure=insecure))


async def _demo(listen: str | None, board: str | None, *, no_browser: bool, insecure: bool) -> None:
    from firmware_sim import Simulation, demo_scenario, schema_of
    from framelink.bridge import BridgeConfig, LinkConfig

    scenario = demo_scenario()
    models = {device.model for port in scenario.port for device in port.device}
    schemas = tuple(schema_of(model) for model in sorted(models))
    async with Simulation(scenario) as simulation, _demo_board(board) as boards:
        lines = simulation.urls | boards
        links = tuple(LinkConfig(name, url, schemas=schemas) for name, url in lines.items())
        config = _listening(BridgeConfig(links), listen, insecure=insecure)
        await _bridge(config, open_page=not no_browser)


@contextlib.asynccontextmanager
async def _demo_board(kind: str | None) -> AsyncIterator[dict[str, str]]:
    """Run a board for a block, if one is wanted; gives its name and what a link opens."""
    import asyncio

    from firmware_sim.board import Board

    if kind is None:
        yield {}
        return
    async with Board(kind) as board:
        watch = asyncio.create_task(_say_its_end(board))
        try:
            yield {kind: board.url}
        finally:
            watch.cancel()


async def _say_its_end(board: Board) -> None:
    """Tell when a board ends by itself; the rest of the demo goes on."""
    try:
        await board.wait()
    except ToolchainError as error:
        output.say(str(error))


def _listening(config: BridgeConfig, listen: str | None, *, insecure: bool) -> BridgeConfig:
    """Return the config with what the command line says about where to listen."""
    host, port = config.host, config.port
    if listen is not None:
        try:
            host, port = options.parse_listen(listen)
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from None
    return dataclasses.replace(config, host=host, port=port, insecure=insecure or config.insecure)


async def _bridge(config: BridgeConfig, *, open_page: bool = False) -> None:
    from framelink.bridge import Bridge

    with _told("framelink.bridge"):
        async with Bridge(config) as bridge:
            output.write(f"dashboard: {bridge.url}\n")
            if open_page:
                # A browser in a terminal takes as long as the user does: not in the loop, nor at the end.
                threading.Thread(target=_open_page, args=[bridge.url], daemon=True).start()
            await bridge.serve()


class _OnStderr(logging.Handler):
    """Tells what a library logs as the program tells everything that is no result."""

    def emit(self, record: logging.LogRecord) -> None:
        output.say(record.getMessage())


@contextlib.contextmanager
def _told(logger: str) -> Iterator[None]:
    """Tell the user what a logger says while the block runs."""
    log = logging.getLogger(logger)
    handler = _OnStderr()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _open_page(url: str) -> None:
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        output.say(f"no browser to open; the page is at {url}")
