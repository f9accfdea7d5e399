"""Chromium without a window, steered by its DevTools protocol: when a page shows what it should."""

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from daemon.errors import UnavailableError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_START = 30.0  # seconds until it says where its DevTools are
_RENDER = 60.0  # seconds until it must show everything
_CHANGES = 4.0  # seconds it is looked at afterwards, while values change
_LARGEST = 16 * 1024 * 1024

_WATCH = """
window.benchTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.benchTasks.push([entry.startTime, entry.duration]);
}).observe({type: 'longtask', buffered: true});
const frame = requestAnimationFrame;
function look() {
  const shown = [...document.querySelectorAll('.channel .volts')].map((each) => each.textContent);
  const read = shown.filter((text) => text.endsWith(' V'));
  if (shown.length < %d || shown.includes('') || read.length === 0) frame(look);
  else frame(() => frame(() => { window.benchRendered = performance.now(); }));
}
frame(look);
"""
"""Two frames after the last value has been put in place it has been painted."""

_FILES = """
performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
  .reduce((sum, entry) => sum + entry.transferSize, 0)
"""
_LONGEST = (
    "Math.max(0, ...window.benchTasks.filter(([at]) => at > window.benchRendered).map(([, taken]) => taken))"
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`seconds` from the navigation until all is painted; what came over the wire until then.

    `longest_task` is the longest the page was busy at a stretch when it was shown the changes after
    that, in seconds; 0 where it never was for 50 ms.
    """

    seconds: float
    kilobytes: float
    longest_task: float


class DevTools:
    """A conversation with a browser; what it tells by itself is not listened to."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)

    async def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Return the answer to a method of the protocol. Raises `UnavailableError` where it is refused."""
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": parameters}
        await self._connection.send(json.dumps(request | ({"sessionId": session} if session else {})))
        while True:
            answer: dict[str, Any] = json.loads(await self._connection.recv())
            if answer.get("id") != number:
                continue
            if "error" in answer:
                raise UnavailableError(f"chromium: {method}: {answer['error'].get('message')}")
            result: dict[str, Any] = answer["result"]
            return result

    async def value(self, session: str, expression: str) -> Any:
        """Return the value of an expression in a page; None while it has none."""
        found = await self.ask("Runtime.evaluate", session, expression=expression, returnByValue=True)
        return found["result"].get("value")


@asynccontextmanager
async def chromium() -> AsyncIterator[DevTools]:
    """Run a browser while inside. Raises `UnavailableError` where there is none, or it does not start."""
    program = next((path for name in NAMES if (path := shutil.which(name)) is not None), None)
    if program is None:
        raise UnavailableError("no browser was measured: chromium is not installed")
    with tempfile.TemporaryDirectory(prefix="galvanod-bench-chromium-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless=new", "--no-sandbox", "--no-first-run", "--disable-background-networking"),
            *("--remote-debugging-port=0", f"--user-data-dir={folder}", "--window-size=1440,900"),
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            address = await _address(Path(folder) / "DevToolsActivePort")
            async with connect(address, compression=None, max_size=_LARGEST) as connection:
                yield DevTools(connection)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _address(file: Path) -> str:
    """Return where the DevTools are, once the browser has written it down."""
    try:
        async with asyncio.timeout(_START):
            while True:
                lines = file.read_text().split() if file.exists() else []
                if len(lines) == 2:
                    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise UnavailableError(
            f"no browser was measured: chromium did not start within {_START:g} s"
        ) from None


async def rendered(browser: DevTools, address: str, cells: int) -> Rendered:
    """Open the page anew, with nothing kept from before, and wait until so many cells show a voltage."""
    context = (await browser.ask("Target.createBrowserContext"))["browserContextId"]
    try:
        target = await browser.ask("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await browser.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        session = attached["sessionId"]
        await browser.ask("Page.enable", session)
        await browser.ask("Page.addScriptToEvaluateOnNewDocument", session, source=_WATCH % cells)
        await browser.ask("Page.navigate", session, url=address)
        async with asyncio.timeout(_RENDER):
            milliseconds = None
            while milliseconds is None:  # a page tells nobody what it has shown
                await asyncio.sleep(0.05)
                milliseconds = await browser.value(session, "window.benchRendered")
        size = await browser.value(session, _FILES)
        await asyncio.sleep(_CHANGES)
        longest = await browser.value(session, _LONGEST)
        return Rendered(milliseconds / 1e3, size / 1e3, longest / 1e3)
    finally:
        await browser.ask("Target.disposeBrowserContext", browserContextId=context)
