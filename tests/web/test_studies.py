"""Studies over HTTP and on the page: a simulated instrument, and one the service takes for real."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from daemon.web.tokens import Scope
from tests.web.browser import NEEDS_CHROMIUM, go, page_of, settled, sound
from tests.web.service import ROOT, Service, running, until

BENCH = """bench: studies
instruments:
  pstat: {{driver: emstat4, sample: 10 s, simulate: {{cell: li_s/pp, speed: max}}}}
  smu:
    driver: keithley2450
    address: visa://{address}
    window: {{voltage: 0 V .. 5 V, current: 10 mA}}
"""
REST = "protocol: a short rest\nlimits: {voltage: -1 V .. 4.5 V, current: 10 mA}\nsteps:\n  - rest: 1 s\n"
STUDY = """study: two separators
replicates: 2
runs:
  - protocol: li_s_cycling
    cell: li_s
    on: pstat
    variables: {cycles: 3}
    variants:
      PP: {simulated: li_s/pp, source: {capacity: 980 -> 345 mAh/g in 500 cycles}}
      Ti0.87O2/PP: {simulated: li_s/ti087o2}
  - {protocol: short, cell: li_cu_pp, on: smu, replicates: 1, variants: {PP: {}}}
"""
HANDS = "study: {title}\nruns:\n  - {{protocol: short, cell: li_cu_pp, on: smu, variants: {{PP: {{}}}}}}\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a simulated potentiostat, and a simulated Keithley that it has no hold of."""
    folder = tmp_path_factory.mktemp("studies")
    simulator = subprocess.Popen(
        [sys.executable, "-m", "daemon", "simulate", "keithley2450", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    try:
        assert simulator.stdout is not None
        address = json.loads(simulator.stdout.readline())["address"]
        (folder / "bench.yaml").write_text(BENCH.format(address=address))
        with running(folder / "state", "--bench", str(folder / "bench.yaml")) as found:
            yield found
    finally:
        simulator.terminate()
        simulator.wait()
        if simulator.stdout is not None:
            simulator.stdout.close()


def body(study: str) -> dict[str, Any]:
    return {"study": study, "protocols": {"short": REST}}


def asked(client: Any, study: str) -> dict[str, Any] | None:
    """Return the cell that somebody is asked for."""
    each = client.get(f"/api/v1/studies/{study}").json()["each"]
    return next((cell for cell in each if cell["state"] == "asked"), None)


def test_a_mistake_is_an_answer_with_its_place_in_the_study_or_its_files(lab: Service) -> None:
    with lab.client() as client:
        wrong = body(STUDY.replace("on: pstat", "on: pstta").replace("cell: li_cu_pp", "cell: li_cuu_pp"))
        problem = client.post("/api/v1/studies/check", json=wrong).json()["problem"]
        assert [(each["line"], each["column"], each["pointer"]) for each in problem["errors"]] == [
            (6, 9, "/study"),
            (11, 29, "/study"),
        ]
        elsewhere = {**body(STUDY), "protocols": {"short": REST.replace("1 s", "1 secnd")}}
        problem = client.post("/api/v1/studies/check", json=elsewhere).json()["problem"]
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["line"]) == ("/protocols/short", 4)
        plan = client.post("/api/v1/studies/check", json=body(STUDY)).json()["plan"]
        assert (plan["cells"], [row["real"] for row in plan["rows"]]) == (5, [0, 1])
        assert {(each["name"], each["ready"]) for each in plan["files"]} == {
            ("li_s_cycling", True),
            ("li_s_pp", True),
            ("li_s_ti087o2", True),
            ("short", False),
            ("li_cu_pp", True),
        }


def test_a_cell_is_asked_for_and_its_channel_kept_until_somebody_answers(lab: Service) -> None:
    viewer = lab.token_for("study-viewer", Scope.VIEW)
    with lab.client() as client, lab.client(viewer) as viewing:
        sent, key = body(HANDS.format(title="by hand")), {"idempotency-key": "study-1"}
        assert viewing.post("/api/v1/studies", json=sent).status_code == 403
        made = client.post("/api/v1/studies", json=sent, headers=key)
        name, seen = made.json()["study"], made.headers["etag"]
        assert made.status_code == 201
        assert client.post("/api/v1/studies", json=sent, headers=key).json()["study"] == name
        other = client.post("/api/v1/studies", json=body(HANDS.format(title="x")), headers=key)
        assert (other.status_code, other.json()["type"]) == (422, "urn:galvanod:problem:keyreused")
        cell = until(lambda: asked(client, name))
        at = f"/api/v1/studies/{name}"
        until(lambda: _wanted(client) == f"{name}: put short, PP here")
        run = {"protocol": REST, "cell": "cell: mine\narea: 1 cm2\n", "core": "lab", "channel": "smu"}
        kept = client.post("/api/v1/runs", json=run)
        assert (kept.status_code, "is kept for cell 1" in kept.json()["detail"]) == (409, True)
        there, channel = f"{at}/cells/{cell['number']}/mount", {"channel": "smu"}
        assert viewing.post(there, json=channel).status_code == 403
        assert client.post(there, json={"channel": "pstat"}).status_code == 409
        assert client.post(there, json=channel, headers={"if-match": seen}).status_code == 200
        assert client.post(there, json=channel, headers={"if-match": seen}).status_code == 412
        over = until(lambda: _over(client.get(at).json()))
        assert [each["state"] for each in over["each"]] == ["finished"]
        found = client.get(f"/api/v1/runs/{over['each'][0]['run']}").json()
        audit = client.get("/api/v1/audit", params={"core": "lab"}).json()["entries"]
        assert ("mounted", name) in [(entry["what"], entry["subject"]) for entry in audit]
    assert found["labels"]["study id"] == name


def _wanted(client: Any) -> str | None:
    channels = client.get("/api/v1/channels").json()
    found: str | None = next(each["wanted"] for each in channels if each["channel"] == "smu")
    return found


def _over(study: dict[str, Any]) -> dict[str, Any] | None:
    return study if study["ended"] else None


def test_studies_are_listed_in_pages_paused_and_cancelled(lab: Service) -> None:
    with lab.client() as client:
        names = [
            client.post("/api/v1/studies", json=body(HANDS.format(title=f"page {i}"))).json()["study"]
            for i in range(3)
        ]
        at = f"/api/v1/studies/{names[2]}"
        assert client.post(f"{at}/pause").json()["state"] == "paused"
        assert client.post(f"{at}/pause").status_code == 409
        assert client.post(f"{at}/go-on").json()["state"] == "running"
        for name in names:
            client.post(f"/api/v1/studies/{name}/cancel", json={"reason": "only to see"})
        listed: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = client.get("/api/v1/studies", params={"limit": 2, **cursor}).json()
            listed += [each["study"] for each in page["studies"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert listed[:3] == names[::-1]
        assert len(set(listed)) == len(listed)
        assert client.get("/api/v1/studies", params={"cursor": "nonsense"}).status_code == 400
        assert client.get("/api/v1/studies/lab-s999").status_code == 404
        assert client.get("/api/v1/studies/nowhere-s1").status_code == 404


@NEEDS_CHROMIUM
async def test_a_study_is_written_mended_submitted_and_watched_to_its_outcome(lab: Service) -> None:
    async with page_of(lab.url, lab.token) as page:
        await page.get_by_role("link", name="Studies", exact=True).click()
        await page.get_by_role("link", name="New study").click()
        text = page.get_by_label("Study (YAML)")
        await text.fill(STUDY.replace("on: pstat", "on: pstta"))
        mistake = page.get_by_role("button", name=re.compile("line 6, column 9"))
        await expect(mistake).to_contain_text("did you mean 'pstat'")
        await text.fill(STUDY)
        await expect(mistake).to_have_count(0)
        await expect(page.get_by_role("button", name=re.compile("line 11, column 16"))).to_contain_text(
            "short"
        )
        await page.get_by_label("Upload").set_input_files(
            {"name": "short.yaml", "mimeType": "text/yaml", "buffer": REST.encode()}
        )
        await expect(page.get_by_role("region", name="What it does", exact=True)).to_contain_text(
            "li_s_cycling"
        )
        await page.get_by_role("button", name="Submit", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("two separators")
        waits = page.get_by_role("status", name="What it waits for")
        await expect(waits).to_contain_text("Put short, PP")
        await page.get_by_role("button", name="It is there").click()
        await expect(page.locator(".title .badge")).to_have_text("finished")
        squares = page.locator(".square .badge")
        await expect(squares).to_have_text(["finished"] * 5)
        await expect(page.get_by_role("region", name="Outcome of li_s_cycling")).to_contain_text("980 -> 345")
        await expect(page.get_by_role("region", name="li s cycling: capacity", exact=True)).to_be_visible()
        await expect(page.locator(".study-plots .main-svg").first).to_be_visible()
        await sound(page, "a study that is over")
        await page.locator(".square a").first.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"lab-\d+"))


@NEEDS_CHROMIUM
async def test_on_a_phone_it_fits_and_a_cell_is_left_out_with_a_reason(lab: Service) -> None:
    with lab.client() as client:
        hostile = '"<img src=x onerror=alert(1)>"'
        name = client.post("/api/v1/studies", json=body(HANDS.format(title=hostile))).json()["study"]
        until(lambda: asked(client, name))
        async with page_of(lab.url, lab.token, 390, "light") as page:
            for view in ("#/studies", "#/study-new", f"#/study/{name}"):
                await go(page, view)
                await settled(page)
                await sound(page, view)
            await page.get_by_role("button", name="Leave out …").first.click()
            leave = page.get_by_role("button", name="Leave it out")
            await expect(leave).to_be_disabled()
            await page.get_by_label("Why").fill("it was dropped")
            await leave.click()
            await expect(page.locator(".square")).to_contain_text("it was dropped")
            await expect(page.locator(".title .badge")).to_have_text("finished")
