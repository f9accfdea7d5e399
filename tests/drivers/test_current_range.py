"""The current range of a cycler, as the bench file says it: what is not said is not made up."""

import pytest

from drivers.errors import InstrumentError
from drivers.land import Land
from drivers.neware import Neware


def test_the_error_of_a_cycler_is_that_of_the_range_it_is_said_to_have() -> None:
    assert Neware.configured({}).accuracy is None
    neware, land = Neware.configured({"range": "50 mA"}).accuracy, Land.configured({"range": "10mA"}).accuracy
    assert neware is not None
    assert neware.amperes(1e-3) == pytest.approx(25e-6 / 3**0.5)  # 0.05 % of 50 mA within limits
    assert neware.volts == pytest.approx(2.5e-3 / 3**0.5)
    assert land is not None
    assert land.amperes(1e-3) == pytest.approx(10e-6 / 3**0.5)  # 0.1 % of 10 mA
    assert land.volts == pytest.approx(5e-3 / 3**0.5)


@pytest.mark.parametrize("text", ["50", "0 mA", "-1 mA", "1 mA/cm2", "0.5 C", "5 V", "much", ""])
def test_what_is_no_current_is_refused(text: str) -> None:
    with pytest.raises(InstrumentError, match=r"setting range: .*; wanted a current range, e\.g\. 50 mA"):
        Neware.configured({"range": text})


def test_another_setting_is_refused() -> None:
    with pytest.raises(InstrumentError, match="setting 'rnage'; wanted range"):
        Land.configured({"rnage": "1 mA"})
