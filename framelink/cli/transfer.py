"""`framelink put` and `framelink get`: files to a device and from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelink.cli import options, output
from framelink.cli.progress import TransferProgress
from framelink.errors import FormatError
from framelink.wire import FrameFormat

if TYPE_CHECKING:
    from framelink.device.transfers import FileInfo, Transferred
    from framelink.link import AsyncLink, StateChange


def _parse_addr(given: str | int) -> int:
    """Read an address; the option's default comes by here too."""
    return given if isinstance(given, int) else options.parse_byte(given)


Addr = Annotated[
    int,
    typer.Option(parser=_parse_addr, metavar="BYTE", help="The device's address, decimal or 0x…."),
]


@dataclass(frozen=True)
class _Line:
    """How to open a line, from a command's options."""

    url: str
    baudrate: int
    format: FrameFormat
    connect_timeout: float | None

    @asynccontextmanager
    async def opened(self, progress: TransferProgress) -> AsyncIterator[AsyncLink]:
        """Open the line for a block; tell on stderr if it is lost meanwhile, and when it is back."""
        from framelink.link import AsyncLink, LinkState

        def tell(change: StateChange) -> None:
            if change.state is LinkState.LOST or (is_told and change.state is LinkState.CONNECTED):
                progress.hide()
                output.say(f"{change.state.value}{change.reason and ': '}{change.reason}")

        is_told = False
        link = AsyncLink(self.url, baudrate=self.baudrate, format=self.format)
        link.watch(tell)
        link.start()
        try:
            await link.wait_connected(self.connect_timeout)
            is_told = True
            yield link
        finally:
            await link.close()


def put(
    url: options.Url,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to send.")],
    *,
    addr: Addr = 1,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its name on the device; as it is called here unless given."),
    ] = None,
    json: options.Json = False,
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    connect_timeout: options.ConnectTimeout = options.CONNECT_TIMEOUT,
) -> None:
    """Send a file to a device; a second run goes on where one was interrupted.

    Example: framelink put /dev/ttyUSB0 firmware.bin
    """
    from framelink.device.transfers import put as put_file

    with file.open("rb"):  # says what is wrong with it before the line is opened
        line = _line(url, baudrate, format, connect_timeout)

    async def work(link: AsyncLink, progress: TransferProgress) -> Transferred:
        return await put_file(link, addr, name or file.name, file, progress=progress)

    _show(_carried_out(line, work), json=json, verb="sent", path=file)


def get(
    url: options.Url,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="The file's name on the device; without it, its files are listed."
        ),
    ] = None,
    *,
    addr: Addr = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where it goes; here, by its name, unless given."
        ),
    ] = None,
    json: options.Json = False,
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    connect_timeout: options.ConnectTimeout = options.CONNECT_TIMEOUT,
) -> None:
    """Fetch a file from a device, or list its files; a second run goes on where one was interrupted.

    Example: framelink get /dev/ttyUSB0 log.bin
    """
    line = _line(url, baudrate, format, connect_timeout)
    if name is None:
        if out is not None:
            raise typer.BadParameter("--output is for a file; give its NAME, too")
        _list_files(line, addr, json=json)
    else:
        _get_file(line, addr, name, out or Path(_local_name(name)), json=json)


def _line(url: str, baudrate: int, format: Path | None, connect_timeout: float) -> _Line:
    return _Line(url, baudrate, options.load_format(format), connect_timeout or None)


def _get_file(line: _Line, addr: int, name: str, path: Path, *, json: bool) -> None:
    from framelink.device.transfers import get as get_file

    async def work(link: AsyncLink, progress: TransferProgress) -> Transferred:
        return await get_file(link, addr, name, path, progress=progress)

    _show(_carried_out(line, work), json=json, verb="received", path=path)


def _list_files(line: _Line, addr: int, *, json: bool) -> None:
    from framelink.device.transfers import files

    async def work(link: AsyncLink, _progress: TransferProgress) -> list[FileInfo]:
        return await files(link, addr)

    found = _carried_out(line, work)
    if json:
        output.write("".join(output.json_line(vars(one)) for one in found))
    elif found:
        output.write(
            "".join(f"{one.size:>13,}  {one.crc:08x}  {output.one_line(one.name)}\n" for one in found)
        )
    else:
        output.say("the device has no files")


def _local_name(name: str) -> str:
    """Return what a device's file is called here: the last part of its name."""
    last = name.replace("\\", "/").rpartition("/")[2]
    if last in ("", ".", ".."):
        raise typer.BadParameter(f"{name!r} cannot be a file's name here; give one with --output")
    return last


def _carried_out(line: _Line, work: Callable[[AsyncLink, TransferProgress], Awaitable[Any]]) -> Any:
    """Do something on the line and return its result; Ctrl-C ends it, and says what is across."""
    import asyncio

    with _wrong_usage(), closing(TransferProgress()) as progress:
        return asyncio.run(_on_line(line, work, progress))


async def _on_line(
    line: _Line, work: Callable[[AsyncLink, TransferProgress], Awaitable[Any]], progress: TransferProgress
) -> Any:
    import asyncio

    try:
        async with line.opened(progress) as link:
            return await work(link, progress)
    except asyncio.CancelledError:
        progress.close()
        if progress.total:
            across = f"{progress.done:,} of {progress.total:,} bytes"
            output.say(f"stopped at {across}; run it again, and it goes on there")
        raise


@contextmanager
def _wrong_usage() -> Iterator[None]:
    """Make values that cannot be on the wire wrong usage."""
    try:
        yield
    except FormatError as error:
        raise typer.BadParameter(str(error)) from None


def _show(done: Transferred, *, json: bool, verb: str, path: Path) -> None:
    if json:
        result = {
            "name": done.name,
            "path": str(path),
            "size": done.size,
            "crc": done.crc,
            "seconds": round(done.seconds, 6),
            "resumed_at": done.resumed_at,
            "stats": done.stats.as_dict(),
        }
        output.write(output.json_line(result))
    else:
        output.write(f"{verb} {output.one_line(done.name)}: {_account(done)}\n")


def _account(done: Transferred) -> str:
    moved = done.size - done.resumed_at
    rate = f", {moved / done.seconds / 1_000:,.1f} kB/s" if moved and done.seconds else ""
    parts = [f"{done.size:,} bytes in {done.seconds:.1f} s{rate}, CRC-32 {done.crc:08x}"]
    if done.resumed_at:
        parts.append(f"{done.resumed_at:,} bytes were there already")
    if done.stats.repeated:
        blocks = "block" if done.stats.repeated == 1 else "blocks"
        parts.append(f"{done.stats.repeated:,} {blocks} sent again")
    return "; ".join(parts)
