"""Drivers are found by their installed name."""

import pytest

from drivers import registry
from drivers.emstat4 import EmStat4
from drivers.errors import InstrumentError
from drivers.espec import Espec
from drivers.keithley2450 import Keithley2450


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InstrumentError, match="'cs310' is not installed; known are"):
        registry.driver("cs310")


def test_the_drivers_that_come_with_it_are_found() -> None:
    assert registry.driver("keithley2450") is Keithley2450
    assert registry.driver("emstat4") is EmStat4
    assert {"emstat4", "keithley2450"} <= set(registry.names())


def test_chambers_are_found_by_name_too() -> None:
    assert registry.chamber("espec") is Espec
    with pytest.raises(InstrumentError, match=r"chamber .oven. is not installed; known are .*espec"):
        registry.chamber("oven")
