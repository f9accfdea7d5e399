"""The page as a person uses it, in Chromium, on the real service."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.web.browser import NEEDS_CHROMIUM, page_of
from tests.web.service import Service, submission

pytestmark = [NEEDS_CHROMIUM, pytest.mark.timeout(180)]

expect.set_options(timeout=30_000)

WRONG = "protocol: by hand\nlimits: {voltage: 0 V .. 4.5 V, current: 100 mA}\nsteps:\n  - rst: 24 h\n"
TRIPS = (
    "protocol: trips\nlimits: {voltage: 1.2 V .. 4.5 V, current: 100 mA}\nsteps:\n"
    "  - plate: 1 mA/cm2\n    until: capacity >= 1 mAh/cm2\n"
)
HOSTILE = '<img src=x onerror=alert(1)>"><script>alert(1)</script>'


async def submit(page: Page, channel: str, protocol: str, cell: str = "li_cu_pp") -> None:
    """Fill the form of a channel; the button is still to be pressed."""
    await page.goto(f"{page.url.partition('#')[0]}#/submit/lab/{channel}")
    ready = page.get_by_label("Ready cells")
    await expect(ready.locator("option")).not_to_have_count(1)
    await ready.select_option(cell)
    await page.get_by_label("Protocol (YAML)").fill(protocol)


async def test_a_mistake_is_mended_and_the_run_watched_paused_resumed_and_stopped(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        await submit(page, "smu7", WRONG)
        mistake = page.get_by_role("button", name=re.compile("line 4, column 5"))
        await expect(mistake).to_contain_text("rest")
        go = page.get_by_role("button", name=re.compile("^Submit"))
        await expect(go).to_be_disabled()
        await page.get_by_label("Protocol (YAML)").fill(WRONG.replace("rst", "rest"))
        await expect(mistake).to_have_count(0)
        await expect(page.get_by_role("region", name="Limits")).to_contain_text("protocol")
        await go.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"lab-\d+"))
        tiles = page.locator(".tile b")
        await expect(tiles.first).to_have_text(re.compile(r"1\.\d{4} V"))
        shown = await tiles.nth(6).text_content()
        await expect(tiles.nth(6)).not_to_have_text(shown or "")
        await expect(page.locator(".main-svg").first).to_be_visible()
        await page.get_by_role("button", name="Pause").click()
        await page.get_by_role("button", name="Resume").click()
        await page.get_by_role("button", name="Stop …").click()
        stop = page.get_by_role("button", name="Stop it")
        await expect(stop).to_be_disabled()
        await page.get_by_label("Type the name of the cell").fill("Li||Cu, PP")
        await stop.click()
        await expect(page.locator(".title .badge")).to_have_text("stopped")
        async with page.context.expect_page() as opened:
            await page.get_by_role("link", name="Report").click()
        report = await opened.value
        await expect(report.get_by_role("heading", level=1)).to_contain_text("by hand")


async def test_a_tripped_channel_comes_first_and_is_cleared_with_a_reason(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        await submit(page, "smu8", TRIPS)
        await page.get_by_role("button", name="Submit on smu8").click()
        alarm = page.get_by_role("alert").filter(has_text="latched")
        await expect(alarm).to_contain_text("1.2")
        await page.get_by_role("link", name="Bench", exact=True).click()
        await expect(page.locator(".channel").first).to_contain_text("smu8")
        await expect(page.locator(".channel").first).to_contain_text("latched")
        await page.locator(".channel").first.click()
        await page.get_by_role("button", name="Clear …").click()
        clear = page.get_by_role("button", name="Clear the latch")
        await expect(clear).to_be_disabled()
        await page.get_by_label("What was found and done").fill("window was too tight, cell is well")
        await clear.click()
        await expect(alarm).to_have_count(0)


async def test_what_others_wrote_is_text_whatever_it_says(service: Service) -> None:
    body = submission("smu9")
    body["protocol"] = str(body["protocol"]).replace("protocol: rest", f"protocol: '{HOSTILE}'")
    body["cell"] = f"cell: '{HOSTILE}'\narea: 1 cm2\nnote: '{HOSTILE}'\n"
    with service.client() as client:
        run = client.post("/api/v1/runs", json=body).json()["run"]
        async with page_of(service.url, service.token) as page:
            await expect(page.get_by_text(HOSTILE).first).to_be_visible()
            for view in (
                f"#/run/{run}",
                "#/runs",
                "#/submit/lab/smu9",
                "#/access",
                f"#/channel/lab/{HOSTILE}",
            ):
                await page.goto(f"{service.url}/{view}")
                await page.wait_for_timeout(600)
            await page.goto(f"{service.url}/api/v1/runs/{run}/report")
            await expect(page.get_by_text(HOSTILE).first).to_be_visible()
        client.post(f"/api/v1/runs/{run}/stop", json={"cell": HOSTILE})


async def test_safe_all_wants_to_be_held(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        button = page.get_by_role("button", name="SAFE ALL")
        await button.click()
        await page.wait_for_timeout(300)
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await button.focus()
        await page.keyboard.down("Space")
        await expect(page.get_by_role("dialog")).to_contain_text("10 channels confirmed")
        await page.keyboard.up("Space")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
async def test_it_is_accessible_and_fits_at_every_width(service: Service, width: int, scheme: str) -> None:
    with service.client() as client:
        run = client.get("/api/v1/runs", params={"limit": 1}).json()["runs"]
    async with page_of(service.url, service.token, width, scheme) as page:
        views = ["#/", "#/runs", "#/submit/lab/smu10", "#/access", *(f"#/run/{each['run']}" for each in run)]
        for view in views:
            await page.goto(f"{service.url}/{view}")
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await page.wait_for_timeout(1500)
            found = await Axe().run(page)
            grave = [
                each for each in found.response["violations"] if each["impact"] in ("serious", "critical")
            ]
            assert grave == [], f"{view}: {[(each['id'], each['nodes'][0]['html']) for each in grave]}"
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{view} is wider than the screen by {wide}"
