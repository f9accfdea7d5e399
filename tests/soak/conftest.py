"""Tests of many minutes: `make soak` asks for them; anybody else is told that they are left out."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.system.conftest import code_under_test

__all__ = ["code_under_test"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip what lies here unless GALVANOD_SOAK is set."""
    if os.environ.get("GALVANOD_SOAK"):
        return
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason="takes many minutes: `make soak`"))
