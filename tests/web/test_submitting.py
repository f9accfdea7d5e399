"""The Submit page in Chromium: rehearsed, many cells at once, the library, the queue, and a run again."""

import re

import pytest
from playwright.async_api import expect

from tests.web.browser import NEEDS_CHROMIUM, filled, go, page_of
from tests.web.service import REST, TRIPS, Service, begun, recorded

pytestmark = NEEDS_CHROMIUM

PASTE = """([text]) => {
  const data = new DataTransfer();
  data.setData('text/plain', text);
  const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(event);
}"""


async def test_a_protocol_is_rehearsed_and_its_trip_foreseen(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        await filled(page, "/lab/smu2", TRIPS)
        rehearsal = page.get_by_role("region", name="Rehearsal", exact=True)
        await rehearsal.get_by_role("button", name="Rehearse").click()
        await expect(rehearsal.get_by_role("status")).to_contain_text("A limit would trip")
        await expect(rehearsal).to_contain_text(
            "Li||Cu with PP; scaled to 1.131 cm2; on a simulated keithley2450"
        )
        await page.get_by_label("Protocol (YAML)").fill(REST)
        await expect(rehearsal).not_to_contain_text("would trip")


async def test_many_cells_begin_at_once_each_with_its_own_name(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        await filled(page, "/lab/smu3", REST)
        await page.get_by_role("button", name="Many cells").click()
        await page.get_by_label("Cell, row 1").focus()
        await page.evaluate(PASTE, ["LC-1\t\t1,1\tsmu3\nLC-2\t\twide\tsmu4\n"])
        batch = page.get_by_role("region", name="Batch", exact=True)
        await batch.get_by_role("button", name="Submit all").click()
        await expect(batch.get_by_role("status")).to_have_text("1 of 2 begun or queued")
        await expect(batch).to_contain_text("wide is not a number")
        await page.get_by_label("Area in cm², row 2").fill("1.2")
        await batch.get_by_role("button", name="Submit all").click()
        links = batch.get_by_role("link", name=re.compile(r"lab-\d+"))
        await expect(links).to_have_count(2)
        runs = await links.all_text_contents()
    with service.client() as client:
        for cell, run in zip(("LC-1", "LC-2"), runs, strict=True):
            assert client.post(f"/api/v1/runs/{run}/stop", json={"cell": cell}).status_code == 200
        shown = [recorded(client, run) for run in runs]
    assert [run["cell"] for run in shown] == ["LC-1", "LC-2"]
    assert [run["cell_facts"]["area"] for run in shown] == pytest.approx([1.1e-4, 1.2e-4])


async def test_a_cell_is_edited_as_a_form_saved_renamed_and_deleted(service: Service) -> None:
    async with page_of(service.url, service.token) as page:
        await filled(page, "/lab/smu4", REST)
        written = page.get_by_label("Protocol (YAML)")
        await page.get_by_label("Ready protocols").select_option("li_s_cycling")
        await expect(written).to_have_value(re.compile("Li-S cycling"))
        await written.press("Control+z")
        await expect(written).to_have_value(REST)
        panel = page.get_by_role("region", name="Cell", exact=True)
        await panel.get_by_role("button", name="Form").click()
        await panel.get_by_label("Name").fill("LC-77: mine")
        await panel.get_by_label("Area").fill("1.5 apples")
        await expect(panel.get_by_label("Area")).to_have_attribute("aria-invalid", "true")
        await panel.get_by_label("Area").fill("1.5 cm2")
        await panel.get_by_text("File", exact=True).click()
        await panel.get_by_role("button", name="Save as").click()
        await expect(page.get_by_label("Name of the file")).to_have_value("lc_77_mine")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(panel).to_contain_text("lc_77_mine")
        with service.client() as client:
            text = client.get("/api/v1/library/cells/lc_77_mine").json()["text"]
            assert "# Coin cell" in text
            assert 'cell: "LC-77: mine"' in text
        await panel.get_by_text("File", exact=True).click()
        await panel.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(panel.locator("option[value=lc_77_mine]")).to_have_count(0)


async def test_a_run_is_submitted_again_and_the_queue_put_in_order_by_keyboard(service: Service) -> None:
    with service.client() as client, begun(client, "smu10") as run:
        recorded(client, run)
        async with page_of(service.url, service.token) as page:
            for name in ("LC-1", "LC-2"):
                await go(page, "#/runs")
                await go(page, f"#/submit/again/{run}")
                await expect(page.get_by_label("Protocol (YAML)")).to_have_value(REST)
                await expect(page.get_by_role("combobox", name="Channel")).to_have_value("smu10")
                await page.keyboard.type(name)
                await page.get_by_role("button", name="Queue on smu10").click()
                await expect(page.get_by_role("region", name="Queue", exact=True)).to_contain_text(name)
            queue = page.get_by_role("region", name="Queue", exact=True)
            await expect(queue.locator("tbody tr").first).to_contain_text("LC-1")
            await queue.get_by_role("button", name="rest on LC-2 earlier").press("Enter")
            await expect(queue.locator("tbody tr").first).to_contain_text("LC-2")
            await queue.get_by_role("button", name="Take out").first.click()
            await expect(queue.locator("tbody tr")).to_have_count(1)
            await queue.get_by_role("button", name="Take out").click()
            await expect(queue).to_be_hidden()
