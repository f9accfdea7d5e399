"""Ready protocols on sound simulated cells, noise and all: no guard has anything to object to.

Each technique once, every repeat once; the whole library in a soak.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from daemon.running.run import RunState
from tests.daemon.guard_bench import bench, ready_plan

SMU, POTENTIOSTAT = "keithley2450", "emstat4"
NOTHING: Mapping[str, str] = {}

CASES = [
    # plate and strip: nucleation, and an end that comes at volts per second
    (SMU, "li_cu_coulombic_efficiency", "li_cu_pp", "li_cu/pp", {"rest": "10 min", "amount": "0.2 mAh/cm2"}),
    (POTENTIOSTAT, "na_cu_coulombic_efficiency", "na_cu_ti087o2", "na_cu/ti087o2", {"current": "1 mA/cm2"}),
    (SMU, "li_li_symmetric", "li_li_pp", "li_li/pp", {"amount": "0.2 mAh/cm2"}),
    # tails
    (POTENTIOSTAT, "li_s_cycling", "li_s_pp", "li_s/pp", NOTHING),
    (SMU, "li_s_long_1c", "li_s_ti087o2", "li_s/ti087o2_1c", NOTHING),
    # pulses, ramps
    (SMU, "li_ion_pulses", "li_ion", "li_ion/generic", NOTHING),
    (POTENTIOSTAT, "li_s_voltammetry", "li_s_go", "li_s/go", {"rate": "1 mV/s", "cycles": "1"}),
    (SMU, "li_s_voltammetry", "li_s_go", "li_s/go", {"rate": "5 mV/s", "cycles": "1"}),
    # spectra of 5 mV, a polarisation of 10 mV with readings from 1 ms on
    (POTENTIOSTAT, "transference_number", "li_sep_li_ti087o2", "li_sep_li/ti087o2", NOTHING),
    (POTENTIOSTAT, "ionic_conductivity", "ss_sep_ss_pp", "blocking/pp", {"lowest": "10 mHz"}),
]

LONG = [
    (POTENTIOSTAT, "li_cu_aurbach", "li_cu_ti087o2", "li_cu/ti087o2", {"amount": "0.2 mAh/cm2"}),
    (SMU, "li_cu_aurbach", "li_cu_pp", "li_cu/pp", NOTHING),
    (SMU, "na_cu_coulombic_efficiency", "na_cu_pp", "na_cu/pp", {"current": "1 mA/cm2"}),
    (SMU, "li_s_cycling", "li_s_ti087o2", "li_s/ti087o2", NOTHING),
    (POTENTIOSTAT, "li_s_rate", "li_s_pp", "li_s/pp_rate", NOTHING),
    (SMU, "li_s_rate", "li_s_ti087o2", "li_s/ti087o2_rate", NOTHING),
    (SMU, "li_s_high_loading_2c", "li_s_ti087o2", "li_s/ti087o2_2c", NOTHING),
    (SMU, "li_s_loading", "li_s_tio2", "li_s/tio2", NOTHING),
    (SMU, "li_se_cycling", "li_se_pp", "li_se/pp", NOTHING),
    (POTENTIOSTAT, "li_se_cycling", "li_se_ti087o2", "li_se/ti087o2", NOTHING),
    (SMU, "na_se_cycling", "na_se_pp", "na_se/pp", NOTHING),
    (POTENTIOSTAT, "na_se_cycling", "na_se_ti087o2", "na_se/ti087o2", NOTHING),
    (SMU, "li_ion_cccv", "li_ion", "li_ion/generic", NOTHING),
    (POTENTIOSTAT, "li_ion_cccv", "li_ion", "li_ion/generic", NOTHING),
    (SMU, "li_li_symmetric", "li_li_ti087o2", "li_li/ti087o2", NOTHING),
    (POTENTIOSTAT, "ionic_conductivity", "ss_sep_ss_go", "blocking/go", {"lowest": "10 mHz"}),
]
"""The rest of the library; run where the environment has GALVANOD_SOAK."""


def named(cases: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [pytest.param(*case, id=f"{case[1]}-{case[3]}-{case[0]}") for case in cases]


async def run_through(
    instrument: str, protocol: str, cell_file: str, cell: str, variables: Mapping[str, str], sample: float
) -> None:
    async with bench(instrument, cell) as found:
        run = found.run(ready_plan(protocol, cell_file, found.rating, variables), sample)
        await run.conduct()
        assert (run.state, run.reason) == (RunState.FINISHED, "every step is done")
        assert found.rows > 50


@pytest.mark.parametrize(("instrument", "protocol", "cell_file", "cell", "variables"), named(CASES))
async def test_a_sound_cell_is_left_alone(
    instrument: str, protocol: str, cell_file: str, cell: str, variables: Mapping[str, str]
) -> None:
    await run_through(instrument, protocol, cell_file, cell, variables, sample=5.0)


@pytest.mark.timeout(600)
@pytest.mark.skipif("GALVANOD_SOAK" not in os.environ, reason="takes minutes: GALVANOD_SOAK is not set")
@pytest.mark.parametrize(("instrument", "protocol", "cell_file", "cell", "variables"), named(LONG + CASES))
async def test_a_sound_cell_is_left_alone_at_one_reading_a_second(
    instrument: str, protocol: str, cell_file: str, cell: str, variables: Mapping[str, str]
) -> None:
    await run_through(instrument, protocol, cell_file, cell, variables, sample=1.0)
