"""What the page says where something cannot be had: in words, and where it would stand."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Error, Page, Route, expect

from tests.web.browser import NEEDS_CHROMIUM, page_of
from tests.web.service import Service, ended, submission, until
from tests.web.test_run_page import CYCLES

pytestmark = NEEDS_CHROMIUM

WHY = "the database is locked"
INSTRUMENTS = "**/api/v1/instruments"
STOP = """import('/static/api.js')
  .then(({ post }) => post('/runs/lab-9999/stop', { cell: 'none' }))
  .catch((error) => error.status)"""
AWAY = {"type": "about:blank", "title": "Away", "status": 503, "detail": WHY}


async def refuse(page: Page, *addresses: str) -> None:
    """Have these addresses below /api/v1 (regular expressions) answer that the database is locked."""

    async def answer(route: Route) -> None:
        await route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(AWAY))

    for address in addresses:
        await page.route(re.compile(f"/api/v1{address}($|\\?)"), answer)


async def test_what_cannot_be_had_is_said_where_it_would_stand(service: Service) -> None:
    with service.client() as client:
        body = submission("smu11", labels={"variant": "<i>GO</i>"}) | {"protocol": CYCLES}
        run = client.post("/api/v1/runs", json=body).json()["run"]
        assert ended(client, run)["state"] == "finished"
        until(lambda: client.get(f"/api/v1/runs/{run}/figures").json())
    async with page_of(service.url, service.token, refused=503) as page:
        await refuse(page, f"/runs/{run}/cycles/2/trace", "/events", "/library/.*", "/runs-choices")
        await page.goto(f"{service.url}/#/run/{run}")
        capacity = page.get_by_role("region", name="Voltage against capacity")
        await expect(capacity).to_contain_text(f"cycle 2: {WHY}")
        await expect(capacity).to_contain_text("cycle 3")  # what was had is drawn
        await page.goto(f"{service.url}/#/compare?run={run}&cycle=2")
        await expect(page.get_by_role("status", name="What could not be had")).to_contain_text(
            f"{run}: its cycle 2: {WHY}"
        )
        cycles = page.get_by_role("region", name="Discharge capacity")
        await cycles.get_by_role("button", name="Save").click()
        async with page.expect_download() as coming:
            await cycles.get_by_role("button", name="CSV").click()
        assert f'"<i>GO</i>, {run}"' in Path(await (await coming.value).path()).read_text()
        await page.goto(f"{service.url}/#/channel/lab/smu11")
        await expect(page.get_by_role("region", name="Events on it")).to_contain_text(WHY)
        await expect(page.get_by_role("region", name="Runs on it")).to_contain_text(run)
        await page.goto(f"{service.url}/#/runs")
        await expect(page.get_by_text("What can be chosen from is not known")).to_contain_text(WHY)
        await page.goto(f"{service.url}/#/submit")
        protocols = page.get_by_label("Ready protocols")
        await expect(protocols).to_contain_text(f"Library cannot be read: {WHY}")
        await page.unroute_all()
        await protocols.focus()
        await expect(protocols).to_contain_text("Li||Cu Coulombic efficiency")


async def test_a_study_that_is_chosen_or_uploaded_replaces_what_was_written_and_can_be_undone(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("study: uploaded\n")
    async with page_of(service.url, service.token) as page:
        await page.goto(f"{service.url}/#/study-new")
        text = page.get_by_label("Study (YAML)")
        await text.fill("study: mine, of an hour's work\n")
        await page.get_by_label("Ready studies").select_option(index=1)
        await expect(text).not_to_have_value(re.compile("an hour"))
        await text.focus()
        await page.keyboard.press("Control+z")
        await expect(text).to_have_value("study: mine, of an hour's work\n")
        await page.locator("#upload").set_input_files(tmp_path / "mine.yaml")
        await expect(text).to_have_value("study: uploaded\n")
        await text.focus()
        await page.keyboard.press("Control+z")
        await expect(text).to_have_value("study: mine, of an hour's work\n")


@contextlib.asynccontextmanager
async def unanswered(page: Page, address: str) -> AsyncIterator[None]:
    """Leave what is asked at an address without an answer while inside."""
    over = asyncio.Event()

    async def hold(route: Route) -> None:
        await over.wait()
        with contextlib.suppress(Error):  # nobody waits for it any more
            await route.abort()

    await page.route(address, hold)
    yield
    over.set()
    await page.unroute_all(behavior="wait")


async def test_what_a_page_has_asked_keeps_no_connection_once_somebody_has_left_it(service: Service) -> None:
    async with page_of(service.url, service.token) as page, unanswered(page, INSTRUMENTS):
        async with page.expect_request(INSTRUMENTS):
            await page.goto(f"{service.url}/#/instruments")
        async with page.expect_event("requestfailed") as failed:
            await page.get_by_role("link", name="Bench", exact=True).click()
        assert (await failed.value).url.endswith("/instruments")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Bench")
        await expect(page.locator(".toast")).to_have_count(0)


async def test_no_stop_waits_for_a_connection_behind_what_is_only_looked_at(service: Service) -> None:
    async with page_of(service.url, service.token, refused=404) as page, unanswered(page, INSTRUMENTS):
        await page.clock.install()
        async with page.expect_request(INSTRUMENTS):
            await page.goto(f"{service.url}/#/instruments")
        await page.clock.run_for(3_000)
        async with page.expect_event("requestfailed") as failed:
            status = await page.evaluate(STOP)
        assert status == 404  # it was asked, and there is no such run
        assert (await failed.value).url.endswith("/instruments")
        await expect(page.locator("main")).to_contain_text("The page’s server does not answer.")
