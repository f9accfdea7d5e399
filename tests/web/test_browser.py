"""The page as a person uses it, in Chromium, on the real service."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.async_api import Locator, Page, Route, expect

from daemon.web.tokens import Scope
from tests.web.browser import NEEDS_CHROMIUM, filled, go, page_of, settled, sound
from tests.web.service import CELL, TRIPS, Service, begun, ended, of_core, recorded

pytestmark = NEEDS_CHROMIUM

WRONG = "protocol: by hand\nlimits: {voltage: -1 V .. 4.5 V, current: 100 mA}\nsteps:\n  - rst: 24 h\n"


def tile(page: Page, name: str) -> Locator:
    return page.locator(f'.channel[data-key="lab/{name}"]')


async def test_a_mistake_is_mended_and_the_run_watched_paused_resumed_and_stopped(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        await filled(page, "/lab/smu7", WRONG)
        mistake = page.get_by_role("button", name=re.compile("line 4, column 5"))
        await expect(mistake).to_contain_text("rest")
        send = page.get_by_role("button", name=re.compile("^Submit"))
        await expect(send).to_be_disabled()
        await page.get_by_label("Protocol (YAML)").fill(WRONG.replace("rst", "rest"))
        await expect(mistake).to_have_count(0)
        await expect(page.get_by_role("region", name="Limits")).to_contain_text("protocol")
        await send.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("smu7")
        values = page.locator(".tile-value b")
        await expect(values.first).to_have_text(re.compile(r"1\.\d{4} V"))
        shown = await values.nth(6).text_content()
        await expect(values.nth(6)).not_to_have_text(shown or "")
        await expect(page.locator(".main-svg").first).to_be_visible()
        await page.get_by_role("button", name="Pause").click()
        await page.get_by_role("button", name="Resume").click()
        await page.get_by_role("link", name=re.compile("all curves")).click()
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(re.compile(r"lab-\d+"))
        run = await heading.text_content() or ""
        await page.get_by_role("button", name="Stop …").click()
        stop = page.get_by_role("button", name="Stop it")
        await expect(stop).to_be_disabled()
        await page.get_by_label("Type the name of the cell").fill(CELL)
        await stop.click()
        await expect(page.locator(".title .badge")).to_have_text("stopped")
        with service.client() as client:
            await asyncio.to_thread(ended, client, run)  # a report is of what the recorder has
        async with page.context.expect_page() as opened:
            await page.get_by_role("link", name="Report").click()
        report = await opened.value
        await expect(report.get_by_role("heading", level=1)).to_contain_text("by hand")


async def test_a_trip_is_told_on_every_page_acknowledged_cleared_and_found_among_the_events(
    service: Service,
) -> None:
    async with page_of(service.url, service.token) as page:
        await filled(page, "/lab/smu8", TRIPS)
        await page.get_by_role("button", name="Submit on smu8").click()
        latched = page.get_by_role("alert").filter(has_text="latched")
        await expect(latched).to_contain_text("1.2")
        await go(page, "#/help")
        alarms = page.get_by_role("region", name="Alarms")
        await expect(alarms).to_contain_text("smu8")
        await expect(page).to_have_title(re.compile(r"^\(\d\) "))
        await alarms.get_by_role("button", name="Acknowledge smu8").click()
        await expect(alarms.get_by_text("smu8")).to_have_count(0)
        await page.get_by_role("link", name="Bench", exact=True).click()
        await expect(tile(page, "smu8")).to_contain_text("seen by up")
        await tile(page, "smu8").click()
        await page.get_by_role("button", name="Clear …").click()
        clear = page.get_by_role("button", name="Clear the latch")
        await expect(clear).to_be_disabled()
        await page.get_by_label("What was found and done").fill("window was too tight, cell is well")
        await clear.click()
        await expect(latched).to_have_count(0)
        await go(page, "#/events")
        await expect(page.locator("tr", has_text="smu8").first).to_contain_text("tripped")


async def test_the_keyboard_alone_finds_selects_and_stops_many(service: Service) -> None:
    with service.client() as client, begun(client, "smu5"), begun(client, "smu6"):
        async with page_of(service.url, service.token) as page:
            for name in ("smu5", "smu6"):
                await expect(tile(page, name)).to_contain_text("running")
            await page.keyboard.press("/")
            await page.keyboard.type("rest")
            await page.keyboard.press("ArrowDown")
            for name in ("smu5", "smu6"):
                await tile(page, name).focus()
                await page.keyboard.press("x")
            await expect(page.locator(".bulk")).to_contain_text("2 selected")
            await page.keyboard.press("s")
            many = page.get_by_role("button", name="Stop 2 runs")
            await expect(many).to_be_disabled()
            await page.get_by_label("Type 2 to stop 2 runs").fill("2")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("dialog")).to_contain_text("2 stopped")
            await page.keyboard.press("Escape")
            await page.keyboard.press("Control+k")
            await page.keyboard.type("smu6")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", level=1)).to_have_text("smu6")
        assert [of_core(service, name)["run"] for name in ("smu5", "smu6")] == [None, None]


async def test_who_is_late_is_told_who_was_faster(service: Service) -> None:
    anna = service.client(service.token_for("anna", Scope.CONTROL))
    with service.client() as client, anna, begun(client, "smu4") as run:
        async with page_of(service.url, service.token, refused=412) as page:
            await go(page, "#/channel/lab/smu4")
            pause = page.get_by_role("button", name="Pause")
            await expect(pause).to_be_enabled()
            await page.route("**/pause", lambda route: _after(anna, run, route))
            await pause.click()
            await expect(page.get_by_role("alert")).to_contain_text(re.compile(r"anna paused it \d+ s ago"))
            await page.get_by_role("button", name="Close").click()


async def test_safe_all_wants_to_be_held(service: Service) -> None:
    asked: list[str] = []
    with service.client() as client, begun(client, "smu3"):
        async with page_of(service.url, service.token) as page:
            page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
            button = page.get_by_role("button", name="SAFE ALL")
            dialog = page.get_by_role("dialog")
            await page.clock.install()
            await button.hover()
            await page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=5))
            await page.mouse.down()
            await page.clock.run_for(900)
            await page.mouse.up()
            await page.clock.run_for(10_000)
            await expect(dialog).to_have_count(0)
            assert "safe" not in asked, "who lets go before a second is over has done nothing"
            await button.focus()
            await page.keyboard.down("Space")
            await page.clock.run_for(1_100)
            await expect(dialog).to_contain_text("11 channels confirmed")
            await page.keyboard.up("Space")
            await expect(dialog.locator("tbody tr")).to_have_count(11)
            assert asked.count("safe") == 1
        assert of_core(service, "smu3")["run"] is None


async def test_a_session_that_ends_is_taken_up_where_one_was(service: Service) -> None:
    token = service.token_for("guest", Scope.VIEW)
    async with page_of(service.url, token, refused=401) as page:
        await go(page, "#/instruments")
        await expect(page.get_by_role("region", name="Instruments")).to_contain_text("smu1")
        await expect(page.get_by_role("button", name="SAFE ALL")).to_have_count(0)
        await page.context.clear_cookies()
        await page.get_by_role("link", name="Runs").click()
        await expect(page.get_by_role("status").filter(has_text="session has ended")).to_be_visible()
        await page.get_by_label("Token", exact=True).fill(token)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
        await expect(page.get_by_role("link", name="Bench", exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (360, "light")])
async def test_every_page_and_dialog_is_accessible_and_fits(
    service: Service, width: int, scheme: str
) -> None:
    with service.client() as client, begun(client, "smu10") as run:
        recorded(client, run)
        async with page_of(service.url, service.token, width, scheme) as page:
            words = {"core": "lab", "channel": "smu10", "run": run}
            for address in await addresses(page, words):
                await go(page, address)
                await settled(page)
                await sound(page, address)
            await go(page, "#/channel/lab/smu10")
            await expect(page.get_by_role("button", name="Stop …")).to_be_enabled()
            for opens in ("Stop …", "Help and keys", "Find anything (Ctrl K)"):
                async with opened(page, opens) as dialog:
                    await sound(page, dialog)
            await go(page, "#/you")
            async with opened(page, "Make a token …") as dialog:
                await sound(page, dialog)


async def addresses(page: Page, words: dict[str, str]) -> list[str]:
    """Return the address of every page there is, its parts filled in with these words."""
    routes = await page.evaluate(
        "import('/static/routes.js').then(({ ROUTES }) => ROUTES.map(({ at }) => at))"
    )
    return [
        re.sub(r":([a-z]+)", lambda part: words[part[1]], at)
        for at in routes
        if all(part in words for part in re.findall(r":([a-z]+)", at))
    ]


@asynccontextmanager
async def opened(page: Page, button: str) -> AsyncIterator[str]:
    """Have the dialog open that a button leads to."""
    await page.get_by_role("button", name=button).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    yield f"the dialog of {button}"
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def _after(anna: httpx.Client, run: str, route: Route) -> None:
    """Let Anna pause the run before the page's own wish arrives."""
    paused = await asyncio.to_thread(anna.post, f"/api/v1/runs/{run}/pause")
    assert paused.status_code == 200, paused.text
    await route.continue_()
