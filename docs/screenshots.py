"""The pictures of the guide, made anew: `PYTHONPATH=. .venv/bin/python docs/screenshots.py [FOLDER]`.

Takes five minutes: a simulated bench works, and is looked at. Wants Debian's chromium.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
from playwright.async_api import Browser, Page, async_playwright

from tests.web.browser import CHROMIUM
from tests.web.service import Service, running, submission

WAIT = 240.0
"""Seconds the bench works before it is looked at."""

SETTLE = 12.0
"""Seconds a page is given."""

PICTURES = (
    ("dark", 1440, 900, "bench"),
    ("light", 390, 844, "phone"),
)

BENCH = """
bench: Lab 3
instruments:
  vmp: {driver: biologic, simulate: {cell: li_s/ti087o2, speed: 300, seed: 7}, channels: 4}
  smu1: {driver: keithley2450, simulate: {cell: li_cu/pp, speed: 1}}
  smu2: {driver: keithley2450, simulate: {cell: li_cu/ti087o2, speed: 1}}
  pstat1: {driver: emstat4, simulate: {cell: li_s/pp, speed: 100}}
  pstat2: {driver: emstat4, simulate: {cell: blocking/pp, speed: 1}}
  neware: {driver: neware, simulate: {cell: li_s/pp, speed: 100, seed: 3}, channels: 12}
  cycler: {driver: neware, address: "tcp://127.0.0.1:1", channels: 1}
chambers:
  oven: {driver: espec, simulate: {speed: 100}, channels: [smu1, smu2, pstat1]}
"""
TRIPS = (
    "protocol: plating at the limit\nlimits: {voltage: 1.2 V .. 4.5 V, current: 100 mA}\nsteps:\n"
    "  - plate: 1 mA/cm2\n    until: capacity >= 1 mAh/cm2\n"
)


class Work(NamedTuple):
    """A ready protocol on a ready cell in a channel."""

    channel: str
    protocol: str
    cell: str


WORK = [
    *(Work(f"vmp-{i}", "li_s_cycling", "li_s_ti087o2") for i in range(1, 4)),
    Work("smu1", "li_cu_coulombic_efficiency", "li_cu_pp"),
    Work("pstat1", "li_s_cycling", "li_s_pp"),
    Work("pstat2", "ionic_conductivity", "ss_sep_ss_pp"),
    *(Work(f"neware-{i}", "li_s_rate" if i % 3 else "li_s_cycling", "li_s_pp") for i in range(1, 9)),
]


def fill(client: httpx.Client) -> None:
    """Submit the work: one run trips, one waits, one is paused, and one trouble has been seen."""
    runs = []
    for channel, protocol, cell in WORK:
        runs.append(client.post("/api/v1/runs", json=submission(channel, cell, protocol)).json()["run"])
    tripping = submission("smu2", "li_cu_ti087o2")
    client.post("/api/v1/runs", json=tripping | {"protocol": TRIPS})
    client.post("/api/v1/runs", json=submission("vmp-1", "li_s_go", "li_s_rate", queue=True))
    client.post(f"/api/v1/runs/{runs[-1]}/pause")
    client.post("/api/v1/channels/lab/cycler-1/acknowledge")


@contextlib.contextmanager
def working() -> Iterator[Service]:
    """Have a bench at work while inside."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Path(folder) / "bench.yaml"
        bench.write_text(BENCH)
        with running(Path(folder) / "state", "--bench", str(bench)) as service, service.client() as client:
            fill(client)
            yield service


async def opened(browser: Browser, service: Service, scheme: str, width: int, height: int) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(f"{service.url}/#token={service.token}")
    await page.locator(".channel").first.wait_for()
    return page


async def shoot(service: Service, folder: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        await asyncio.sleep(WAIT)
        for scheme, width, height, name in PICTURES:
            page = await opened(browser, service, scheme, width, height)
            await asyncio.sleep(SETTLE)
            await page.screenshot(path=folder / f"{name}.png")
            await page.context.close()
        await browser.close()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    with working() as service:
        asyncio.run(shoot(service, folder))


if __name__ == "__main__":
    main()
