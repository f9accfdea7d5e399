"""The page's end of the live stream, in Chromium, with a stream that is tampered with on its way."""

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Page, WebSocketRoute, expect

from tests.web.browser import NEEDS_CHROMIUM, page_of
from tests.web.service import PATIENCE, Service, begun

pytestmark = NEEDS_CHROMIUM

HOUR = 3600.0


class Tampering:
    """Stands between the page and its stream, as a server with another clock and a bad cable would.

    `loses` is how many changes do not arrive; `anew` is set once the page asks for its stream; while it
    is `silent`, nothing arrives, and nothing ends.
    """

    def __init__(self) -> None:
        self.anew = asyncio.Event()
        self.loses = 0
        self.silent = False
        self.ahead = 0.0

    async def between(self, page: Page) -> None:
        await page.route_web_socket("**/api/v1/live", self._meet)
        await page.reload()

    def _meet(self, route: WebSocketRoute) -> None:
        self.anew.set()
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
    tampering = Tampering()
    tampering.ahead = HOUR  # the server's clock is; nothing on the page may look older or younger for it
    with service.client() as client, begun(client, "smu9"):
        async with page_of(service.url, service.token) as page:
            await page.clock.install()
            await tampering.between(page)
            cell = page.locator(".channel").filter(has_text="smu9").first
            link = page.locator("#link")
            await expect(link).to_have_text("Live")
            await expect(cell.locator(".age")).to_have_text(re.compile(r"^\d s$"))
            await expect(cell).not_to_have_attribute("data-stale", "")

            tampering.anew.clear()
            tampering.loses = 1  # a change that does not arrive is missed by its number
            async with asyncio.timeout(PATIENCE):
                await tampering.anew.wait()
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
