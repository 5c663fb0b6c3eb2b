"""A server, a browser, and the page in it.

Starting a browser takes longer than most tests, so all of them share one, each with a fresh profile; that is why they
run in the session's event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.dashboard.bench import Bench, watching
from tests.support.browser import chromium


@pytest_asyncio.fixture(loop_scope="session")
async def bench() -> AsyncIterator[Bench]:
    """A bench that is served."""
    one = Bench()
    await one.server.start()
    yield one
    await one.server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser."""
    async with chromium() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def page(bench: Bench, browser: Browser) -> AsyncIterator[Page]:
    """The page, live, on a desktop; it must not complain."""
    async with watching(browser, bench) as one:
        yield one
