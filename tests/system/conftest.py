"""Every process a system test starts runs the code under test, wherever another copy is installed."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LONG = pytest.mark.skipif(not os.environ.get("GALVANOD_SOAK"), reason="takes long: `make soak`")


@pytest.fixture(autouse=True)
def code_under_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point child processes at this checkout, and away from the state directory of whoever runs the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("GALVANOD_STATE", raising=False)
    monkeypatch.delenv("GALVANOD_DATABASE", raising=False)
    monkeypatch.delenv("GALVANOD_BROKER", raising=False)
