"""Chromium on the real page: what it complains of, and where it asks, is written down."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright, expect

from tests.web.service import PATIENCE

CHROMIUM = shutil.which("chromium")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed here")

MILLISECONDS = PATIENCE * 1000.0
expect.set_options(timeout=MILLISECONDS)

WATCHING = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
window.alert = window.confirm = window.prompt = () => { console.error('a dialog of a foreign script'); };
const ask = window.fetch;
window.underWay = 0;
window.fetch = async (...all) => {
  const over = () => setTimeout(() => { window.underWay -= 1; });
  window.underWay += 1;
  try {
    const answer = await ask(...all);
    answer.clone().blob().then(over, over);
    return answer;
  } catch (error) {
    over();
    throw error;
  }
};
"""
SETTLED = """async () => {
  const busy = () => window.underWay || document.querySelector('[aria-busy=true]');
  for (let calm = 0; calm < 3; calm = busy() ? 0 : calm + 1) await new Promise(requestAnimationFrame);
}"""


@dataclass
class Complaints:
    """What nobody should have to read; the browser may write down answers with the status `expected`."""

    expected: int | None = None
    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        refused = self.expected is not None and f"a status of {self.expected} " in message.text
        if message.type in ("error", "warning") and not refused:
            self.console.append(f"{message.text} {message.location['url']}")

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
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=MILLISECONDS
        )
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            context.set_default_timeout(MILLISECONDS)
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


async def go(page: Page, address: str) -> None:
    """Follow an address of the page itself, such as `#/runs`."""
    await page.goto(f"{page.url.partition('#')[0]}{address}")


async def settled(page: Page) -> None:
    """Wait until the page has shown what it asked for last."""
    await expect(page.get_by_role("heading", level=1).first).to_be_visible()
    await page.evaluate(SETTLED)


async def filled(page: Page, where: str, protocol: str, cell: str = "li_cu_pp") -> None:
    """Open the form of submissions and fill it in; the button is still to be pressed."""
    await go(page, f"#/submit{where}")
    ready = page.get_by_label("Ready cells")
    await expect(ready.locator(f"option[value={cell}]")).to_have_count(1)
    await ready.select_option(cell)
    await page.get_by_label("Protocol (YAML)").fill(protocol)


async def sound(page: Page, where: str) -> None:
    """Raise for what somebody could not read or reach, or what is wider than the screen."""
    found = await Axe().run(page)
    grave = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert grave == [], f"{where}: {[(each['id'], each['nodes'][0]['html']) for each in grave]}"
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where} is wider than the screen by {wide}"
