"""What others wrote is text on every page: nothing of it is executed, and nothing leaves this machine."""

import csv
import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.web.browser import NEEDS_CHROMIUM, go, page_of, settled
from tests.web.service import LONGEST, ROOT, Service, channel, submission, until

pytestmark = [NEEDS_CHROMIUM, pytest.mark.timeout(LONGEST)]

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>{{7*7}}=cmd()"
FORMULA = "=cmd|' /C calc'!A0"
NAMES = re.findall(r"\bat: '([^']+)'", (ROOT / "daemon" / "web" / "static" / "routes.js").read_text())


def hostile(name: str, number: int) -> dict[str, Any]:
    """Return a submission in which everything that can be written is hostile."""
    quoted = HOSTILE.replace("'", "''")
    protocol = (
        f"protocol: '{quoted} {number}'\nnote: '{quoted}'\n"
        "limits: {voltage: -1 V .. 4.5 V, current: 100 mA}\n"
        f"steps:\n  - {{rest: 24 h, mark: 'm{number}'}}\n"
    )
    cell = f"cell: '{quoted}'\narea: 1 cm2\nnote: '{quoted}'\nseparator: {{name: '{quoted}'}}\n"
    return submission(name) | {"protocol": protocol, "cell": cell, "labels": {HOSTILE: HOSTILE}}


async def test_what_others_wrote_is_text_on_every_page(service: Service) -> None:
    assert len(NAMES) >= 13
    with service.client() as client:
        made = client.post("/api/v1/runs", json=hostile("smu9", 1))
        assert made.status_code == 201, made.text
        run = made.json()["run"]
        assert client.post("/api/v1/runs", json=hostile("smu9", 2) | {"queue": True}).status_code == 202
        for text in (HOSTILE, FORMULA):
            note = client.post(f"/api/v1/runs/{run}/notes", json={"text": text})
            assert note.status_code == 201, note.text
        until(lambda: channel(client, "smu9")["run"] == run)
        words = {":core": "lab", ":channel": "smu9", ":run": run, ":study": HOSTILE.replace("/", "%2F")}
        async with page_of(service.url, service.token, refused=404) as page:
            for name in NAMES:
                for mark, word in words.items():
                    name = name.replace(mark, word)
                await go(page, name)
                await settled(page)
            await go(page, f"#/channel/lab/{HOSTILE.replace('/', '%2F')}")
            await settled(page)
            stopped = client.post(f"/api/v1/runs/{run}/stop", json={"cell": HOSTILE, "reason": HOSTILE})
            assert stopped.status_code == 200, stopped.text
            until(lambda: client.get(f"/api/v1/runs/{run}").json().get("ended"))
            await go(page, f"#/run/{run}")
            await expect(page.get_by_text("onerror").first).to_be_visible()
            await page.goto(f"{service.url}/api/v1/runs/{run}/report")
            await expect(page.get_by_text(HOSTILE[:20]).first).to_be_visible()
            await expect(page.locator("img[onerror], script")).to_have_count(0)
        told = [*csv.reader(client.get(f"/api/v1/runs/{run}/export/events").text.splitlines())]
        assert any(FORMULA in cell for row in told for cell in row)
        assert not any(cell.startswith("=") for row in told for cell in row), "no cell is a formula"
        client.delete("/api/v1/channels/lab/smu9/queue/" + str(_waiting(client)))


def _waiting(client: Any) -> int:
    number: int = client.get("/api/v1/channels/lab/smu9/queue").json()["waiting"][0]["number"]
    return number
