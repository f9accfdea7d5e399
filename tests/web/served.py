"""The page's application on a port of loopback, in the test's own process: its looks are taken by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from daemon.web.app import application
from daemon.web.door import Door
from daemon.web.live import Live
from daemon.web.server import Server, configured, listening
from daemon.web.settings import Settings
from daemon.web.tokens import Scope, Tokens
from tests.web.cores import Core


@dataclass(frozen=True, slots=True)
class Served:
    """Where the page is, a token that lets look, and what is behind it."""

    port: int
    token: str
    live: Live
    server: Server

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def unread(self) -> list[int]:
        """The bytes that wait in this process for each connection."""
        connections = self.server.server_state.connections
        return [each.transport.get_write_buffer_size() for each in connections]


@asynccontextmanager
async def served_by_hand(folder: Path, core: Core) -> AsyncIterator[Served]:
    """Serve a page of this core while inside; nobody looks at it but the test."""
    tokens = Tokens.of(folder / "tokens.json")
    settings = Settings(
        {"lab": core.path}, f"sqlite:///{folder / 'results.db'}", folder / "tokens.json", folder, port=0
    )
    place = listening(settings)
    settings = replace(settings, port=place.getsockname()[1])
    app = application(settings)
    config = configured(Door(app, settings, app.state.ledger.note), settings)
    config.lifespan = "off"  # which would look once a second
    ready = asyncio.Event()
    server = Server(config, ready.set)
    serving = asyncio.create_task(server.serve([place]), name="serving")
    try:
        await ready.wait()
        yield Served(settings.port, tokens.renewed("anna", Scope.VIEW), app.state.live, server)
    finally:
        server.should_exit = True
        await serving
        place.close()
        app.state.ledger.close()
        app.state.database.close()
