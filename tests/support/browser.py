"""A real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSER_DEADLINE = 30_000
"""Milliseconds that a page may take for what it is waited for."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser for a block."""
    path = shutil.which("chromium")
    assert path, "the tests need Chromium; `make test` installs it where it may"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


class Complaints:
    """What a page says went wrong: errors on its console, which includes broken policies, and exceptions."""

    def __init__(self, page: Page, *, ignoring: str = "\0") -> None:
        self.heard: list[str] = []
        self._ignoring = ignoring
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and self._ignoring not in message.text:
            self.heard.append(message.text)

    def _on_error(self, error: Error) -> None:
        self.heard.append(str(error))


async def new_page(browser: Browser, url: str, *, width: int = 1280, scheme: str = "light") -> Page:
    """Open a page."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.set_default_timeout(BROWSER_DEADLINE)
    page = await context.new_page()
    await page.goto(url)
    return page
