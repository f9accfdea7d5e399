"""Chromium on the real page: what it complains of, and where it asks, is written down."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright

CHROMIUM = shutil.which("chromium")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed here")

WATCHING = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
window.alert = window.confirm = window.prompt = () => { console.error('a dialog of a foreign script'); };
"""


@dataclass
class Complaints:
    """What nobody should have to read; the browser may write down answers with the status `expected`."""

    expected: int | None = None
    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        refused = self.expected is not None and f"a status of {self.expected} " in message.text
        if message.type in ("error", "warning") and not refused:
            self.console.append(message.text)

    def asked(self, request: Request) -> None:
        found = urlsplit(request.url)
        if found.scheme not in ("data", "blob") and found.hostname not in ("127.0.0.1", "localhost"):
            self.elsewhere.append(request.url)


@asynccontextmanager
async def page_of(
    url: str, token: str, width: int = 1440, scheme: str = "dark", refused: int | None = None
) -> AsyncIterator[Page]:
    """Open the page, logged in, while inside; afterwards nothing was complained of."""
    complaints = Complaints(refused)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            context.set_default_timeout(30_000)
            context.on("request", complaints.asked)
            context.on("console", complaints.hear)
            context.on(
                "weberror", lambda error: complaints.console.append(error.error.stack or str(error.error))
            )
            await context.add_init_script(WATCHING)
            page = await context.new_page()
            await page.goto(f"{url}/#token={token}")
            await page.get_by_role("link", name="Bench", exact=True).wait_for()
            yield page
        finally:
            await browser.close()
    assert complaints.console == [], complaints.console
    assert complaints.elsewhere == []
