"""Drivers are found by their installed name."""

import pytest

from drivers import registry
from drivers.errors import InstrumentError


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InstrumentError, match="'cs310' is not installed; known are"):
        registry.driver("cs310")
