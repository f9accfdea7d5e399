"""One service for all tests of the page: each takes a channel of its own."""

from collections.abc import Iterator, Sequence

import pytest

from tests.web.service import LONGEST, Service, running

BENCH = "bench: test of the page\ninstruments:\n" + "".join(
    f"  smu{i}: {{driver: keithley2450, simulate: {{cell: li_cu/pp, speed: 100}}}}\n" for i in range(1, 12)
)

SERVICES = {"service", "lab"}
"""The fixtures that are one: that of all tests, and that of those of studies."""


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service on a simulated bench of eleven channels."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "bench.yaml").write_text(BENCH)
    with running(folder / "state", "--bench", str(folder / "bench.yaml")) as found:
        yield found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what asks for a whole service: it is several processes, and they may take their time."""
    for item in items:
        if not SERVICES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.system)
            item.add_marker(pytest.mark.timeout(LONGEST))
