"""Fixtures of the tests of links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pty_device import PtyDevice


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PtyDevice]:
    """A device on a pty."""
    with PtyDevice(tmp_path) as one:
        yield one
