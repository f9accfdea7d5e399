"""Chaos needs what every system test needs."""

from tests.system.conftest import code_under_test

__all__ = ["code_under_test"]
