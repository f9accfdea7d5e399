"""The pages of a run and of several beside each other, in Chromium, on runs of the real service."""

from pathlib import Path

from playwright.async_api import expect

from tests.web.browser import NEEDS_CHROMIUM, go, page_of, settled, sound
from tests.web.service import Service, ended, submission, until

pytestmark = NEEDS_CHROMIUM

CYCLES = (
    "protocol: three cycles\nlimits: {voltage: -1 V .. 1.5 V, current: 5 mA}\nrecord: every 2 s\nsteps:\n"
    "  - repeat: 3\n    steps:\n"
    "      - plate: 1 mA/cm2\n        until: time >= 90 s\n"
    "      - strip: 1 mA/cm2\n        until: time >= 60 s\n"
)
HOSTILE = "<img src=x onerror=alert(1)><b>dry</b> %{y} {{7*7}}"


async def test_a_run_is_looked_at_noted_on_saved_and_put_beside_another(service: Service) -> None:
    with service.client() as client:
        runs = [
            client.post(
                "/api/v1/runs",
                json=submission(smu, labels={"variant": variant}) | {"protocol": CYCLES},
            ).json()["run"]
            for smu, variant in (("smu5", "PP"), ("smu6", "<i>GO</i>"))
        ]
        assert [ended(client, run)["state"] for run in runs] == ["finished", "finished"]
        until(lambda: all(client.get(f"/api/v1/runs/{run}/figures").json() for run in runs))
    async with page_of(service.url, service.token) as page:
        await go(page, f"#/run/{runs[0]}")
        cycles = page.get_by_role("region", name="Cycles")
        await expect(cycles.locator(".main-svg").first).to_be_visible()
        await cycles.get_by_label("What to show against cycle").select_option("voltage")
        await expect(cycles).to_contain_text("hysteresis in mV")
        capacity = page.get_by_role("region", name="Voltage against capacity")
        await capacity.get_by_label("Capacity in").select_option("area")
        await expect(capacity).to_contain_text("capacity of the step in mAh/cm²")
        await capacity.get_by_role("button", name="Save").click()
        async with page.expect_download() as coming:
            await capacity.get_by_role("button", name="CSV").click()
        saved = Path(await (await coming.value).path()).read_text()
        assert saved.startswith("curve,capacity of the step in mAh/cm²,value,of")
        assert "cycle 3" in saved
        await page.get_by_label("A note on this run").fill(HOSTILE)
        await page.get_by_label("Moment of the run").fill("x")
        await page.get_by_role("button", name="Add note").click()  # refused: no hour
        await page.get_by_label("Moment of the run").fill("0,05")
        await page.get_by_role("button", name="Add note").click()
        await expect(page.locator(".notes li")).to_contain_text(HOSTILE)
        await expect(page.locator(".notes li")).to_contain_text("at 3 min 0 s of the run")
        await page.get_by_role("button", name="Withdraw").click()
        await expect(page.locator(".notes li")).to_contain_text("withdrawn by up")
        await settled(page)
        await sound(page, "a run")
        await go(page, "#/runs?protocol=three+cycles&order=run")
        for run in runs:
            await page.get_by_label(f"Compare {run}", exact=True).check()
        await page.get_by_role("link", name="Compare 2").click()
        table = page.get_by_role("region", name="Figures of merit").first
        for run in runs:
            await expect(table).to_contain_text(run)
        await expect(
            page.get_by_role("region", name="Coulombic efficiency").locator(".main-svg").first
        ).to_be_visible()
        assert all(f"run={run}" in page.url for run in runs)
        await settled(page)
        await sound(page, "a comparison")
        await page.get_by_role("button", name=f"Leave out {runs[1]}").click()
        await expect(table).not_to_contain_text(runs[1])
        assert runs[1] not in page.url
