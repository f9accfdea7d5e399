"""What every test gets: nobody leaves a task behind, and examples that are the same each time."""

import asyncio
import os
from collections.abc import AsyncIterator

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


@pytest_asyncio.fixture(autouse=True)
async def no_task_is_left_behind() -> AsyncIterator[None]:
    """Fail a test that ends with an asyncio task still running."""
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:  # a conversation whose other side has hung up ends a few turns later
        _, left = await asyncio.wait(left, timeout=2.0)
    assert not left, f"tasks left running: {[task.get_name() for task in left]}"
