"""`framelink.toml`, and what the command line says instead of it, → a bridge's configuration."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from framelink.bridge import DEFAULT_HOST, DEFAULT_PORT, BridgeConfig, LinkConfig
from framelink.cli.options import MAX_BAUDRATE, load_format, parse_listen, read_format
from framelink.config_files import load_table, to_record
from framelink.errors import ConfigError
from framelink.message import Schema

MAX_NAME = 64  # characters of a link's name, as rooms have it


class _LinkEntry(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    name: str = ""
    baudrate: Annotated[int, msgspec.Meta(ge=1, le=MAX_BAUDRATE)] = 115_200
    schema: str | list[str] = []
    format: str | dict[str, Any] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    listen: str = f"{DEFAULT_HOST}:{DEFAULT_PORT}"
    insecure: bool = False
    allowed_hosts: list[str] = []
    link: list[_LinkEntry] = []


def load_config(path: Path) -> BridgeConfig:
    """Read a `framelink.toml`; schema and format files in it are relative to its folder.

    Raises:
        OSError: A file cannot be read.
        ConfigError: It cannot be used; the message names the file and the key.
        SchemaError: A schema in it does not describe a device.
    """
    file = to_record(load_table(path), _File, str(path))
    try:
        host, port = parse_listen(file.listen)
        names = link_names([(one.name, one.url) for one in file.link])
        links = tuple(
            _link_config(entry, name, path.parent) for entry, name in zip(file.link, names, strict=True)
        )
        return BridgeConfig(links, host, port, file.insecure, tuple(file.allowed_hosts))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _link_config(entry: _LinkEntry, name: str, folder: Path) -> LinkConfig:
    paths = [entry.schema] if isinstance(entry.schema, str) else entry.schema
    if isinstance(entry.format, str):
        format = load_format(folder / entry.format)
    else:
        format = read_format(entry.format, f"link {name!r}: format")
    return LinkConfig(
        name=name,
        url=entry.url,
        baudrate=entry.baudrate,
        format=format,
        schemas=tuple(Schema.load(folder / one) for one in paths),
    )


def link_names(given: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name for each (name or nothing, URL); one not given is the URL's last part, made distinct."""
    names: list[str] = []
    taken = {name for name, _url in given if name}
    for name, url in given:
        names.append(name or _free_name(url, taken))
        taken.add(names[-1])
    return names


def _free_name(url: str, taken: Collection[str]) -> str:
    last_part = url.rstrip("/").rpartition("/")[2]
    name = re.sub(r"[+#\x00-\x1f\x7f]", "-", last_part)[:MAX_NAME] or "link"
    numbered = (f"{name[: MAX_NAME - 3]}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)
