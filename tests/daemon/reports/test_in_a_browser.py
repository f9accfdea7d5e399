"""A report opens in a real browser: no error, no network, as wide as the window, readable by everybody."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, async_playwright

from daemon.reading.results import Results
from daemon.recording.store import Store
from daemon.reports.form import Form
from daemon.reports.report import Report
from tests.daemon.reports.recorded import keep_run

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"
)


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    store = Store.open(str(tmp_path / "results.db"))
    for ordinal, variant in enumerate(("PP", "PP", "Ti"), start=1):
        keep_run(store, f"lab-{ordinal}", cycles=5, variant=variant)
    store.close()
    results = Results.open(store.url)
    text = Report.of(results, ["lab-1", "lab-2", "lab-3"]).written(Form.HTML, lambda name: {})
    results.close()
    file = tmp_path / "report.html"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_opens_cleanly(
    page_file: Path, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(page_file.as_uri())
    assert said == []
    assert asked == [page_file.as_uri()]
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


async def test_it_prints(page_file: Path, browser: Browser) -> None:
    page = await browser.new_page(color_scheme="dark")
    await page.goto(page_file.as_uri())
    assert (await page.pdf(prefer_css_page_size=True)).startswith(b"%PDF")
    await page.emulate_media(media="print")
    colour = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"  # paper is white, whatever the screen
