"""The page's end of the live stream, in Chromium, with a stream that is tampered with on its way."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.web.browser import NEEDS_CHROMIUM, page_of
from tests.web.service import Service, submission

expect.set_options(timeout=30_000)

pytestmark = [NEEDS_CHROMIUM, pytest.mark.timeout(180)]

HOUR = 3600.0


class Tampering:
    """Stands between the page and its stream, as a server with another clock and a bad cable would.

    `loses` is how many changes do not arrive; while it is `silent`, nothing does, and nothing ends.
    """

    def __init__(self) -> None:
        self.streams = 0
        self.loses = 0
        self.silent = False
        self.ahead = 0.0

    async def between(self, page: Page) -> None:
        await page.route_web_socket("**/api/v1/live", self._meet)
        await page.reload()

    def _meet(self, route: WebSocketRoute) -> None:
        self.streams += 1
        server = route.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            changed = json.loads(message)
            if self.silent:
                return
            if self.loses and changed["kind"] == "change":
                self.loses -= 1
                return
            route.send(json.dumps(self._ahead(changed)))

        server.on_message(pass_on)

    def _ahead(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return it as a server would say it whose clock is ahead."""
        for values in message["values"]:
            values[1] = None if values[1] is None else values[1] + self.ahead
        return message | {"at": message["at"] + self.ahead}


async def test_a_page_is_right_or_says_that_it_is_not(service: Service) -> None:
    with service.client() as client:
        run = client.post("/api/v1/runs", json=submission("smu9")).json()["run"]
    tampering = Tampering()
    tampering.ahead = HOUR  # the server's clock is; nothing on the page may look older or younger for it
    try:
        async with page_of(service.url, service.token) as page:
            await page.clock.install()
            await tampering.between(page)
            cell = page.locator(".channel").filter(has_text="smu9").first
            link = page.locator("#link")
            await expect(link).to_have_text("Live")
            await expect(cell.locator(".age")).to_have_text("0 s")
            assert await cell.get_attribute("data-stale") is None
            assert tampering.streams == 1

            tampering.loses = 1  # a change that does not arrive is missed by its number
            while tampering.loses or tampering.streams == 1:
                await page.wait_for_timeout(50)
            await expect(link).to_have_text("Live")

            tampering.silent = (
                True  # the lid of a laptop is closed and opened: its values say that they are old
            )
            await page.clock.fast_forward(6_000)
            await expect(link).to_have_text("DISCONNECTED")
            await expect(cell).to_have_attribute("data-stale", "")
            tampering.silent = False
            await expect(link).to_have_text("Live")
            await expect(cell).not_to_have_attribute("data-stale", "")
    finally:
        with service.client() as client:
            client.post(f"/api/v1/runs/{run}/stop", json={"cell": "Li||Cu, PP"})
