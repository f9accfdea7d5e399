"""Several cores behind one page."""

from pathlib import Path

from daemon.web.cores import Cores
from daemon.web.live import Live
from tests.web.service import Service


async def test_a_core_that_is_away_hides_none_of_the_others(service: Service, tmp_path: Path) -> None:
    live = Live(Cores({"lab": service.places.socket, "cellar": tmp_path / "core.sock"}))
    with live.watched() as watcher:
        await live.look()
        assert watcher is not None
        told = await watcher.next()
    assert {core for core, _ in live.channels} == {"lab"}
    assert live.cores["lab"].trouble is None
    assert "cellar is not there" in (live.cores["cellar"].trouble or "")
    assert b"cellar is not there" in told
