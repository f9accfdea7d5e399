"""What every test gets: a name of its own, examples that are the same each time, no task left behind."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

# The same examples on every machine, however slow; `make soak` looks for new ones.
settings.register_profile(
    "galvanod",
    deadline=None,
    derandomize=not os.environ.get("GALVANOD_SOAK"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("galvanod")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Raise where two tests have one name: side by side only one of them would be run, and nobody told."""
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests are called {twice[0]}; wanted a name for each")


@pytest_asyncio.fixture(autouse=True)
async def no_task_is_left_behind() -> AsyncIterator[None]:
    """Fail a test that ends with an asyncio task still running."""
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:  # a conversation whose other side has hung up ends a few turns later
        _, left = await asyncio.wait(left, timeout=2.0)
    assert not left, f"tasks left running: {[task.get_name() for task in left]}"
