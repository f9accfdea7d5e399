"""What comes out of the database is what was put into the simulated cell, for seeds nobody tuned on."""

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from daemon.reading.results import Results
from tests.system.conftest import LONG
from tests.system.laboratory import Laboratory, Place, laboratory

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

MAX = math.inf
SEEDS = [1013, *(pytest.param(seed, marks=LONG) for seed in (2027, 3041, 4057))]
SHORT = {"rest": "2 min"}


def bench(seed: int) -> list[Place]:
    return [
        Place(f"eis-{seed}", "emstat4", "blocking/ti087o2", MAX, seed),
        Place(f"ca-{seed}", "emstat4", "li_sep_li/pp", MAX, seed),
        Place(f"licu-{seed}", "keithley2450", "li_cu/pp", MAX, seed, "10 s"),
        Place(f"lis-{seed}", "emstat4", "li_s/pp", MAX, seed, "10 s"),
    ]


SUBMISSIONS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "eis": ("ionic_conductivity", "ss_sep_ss_ti087o2", SHORT),
    "ca": ("transference_number", "li_sep_li_pp", {}),
    "licu": ("li_cu_coulombic_efficiency", "li_cu_pp", {"cycles": "2", "rest": "0.1 h"}),
    "lis": ("li_s_cycling", "li_s_pp", {"cycles": "1"}),
}


@pytest.mark.parametrize("seed", SEEDS)
async def test_figures_are_what_was_put_in(tmp_path: Path, seed: int) -> None:
    async with laboratory(tmp_path, bench(seed)) as lab:
        runs = {channel: await submitted(lab, channel) for channel in lab.cells}
        ended = await asyncio.gather(*(lab.over(run) for run in runs.values()))
        assert {run["state"] for run in ended} == {"finished"}, ended
        await lab.figured(list(runs.values()))
    results = Results.open(lab.database)
    for channel, run in runs.items():
        truth = lab.cells[channel].truth()
        figures = {figure.name: figure.value for figure in results.figures(run) if figure.value is not None}
        ASSERTIONS[channel.partition("-")[0]](figures, truth)
    results.close()


async def submitted(lab: Laboratory, channel: str) -> str:
    protocol, cell, variables = SUBMISSIONS[channel.partition("-")[0]]
    return await lab.submit(channel, protocol, cell, variables)


def conductivity(figures: Mapping[str, float], truth: Mapping[str, Any]) -> None:
    assert figures["ionic_conductivity"] == pytest.approx(truth["conductivity"], rel=0.005)


def transference(figures: Mapping[str, float], truth: Mapping[str, Any]) -> None:
    assert figures["transference_number"] == pytest.approx(truth["transference_number"], rel=0.02)


def efficiency(figures: Mapping[str, float], truth: Mapping[str, Any]) -> None:
    expected = fmean(truth["coulombic_efficiency"])
    assert figures["coulombic_efficiency"] == pytest.approx(expected, abs=0.0005)  # 0.05 points


def capacity(figures: Mapping[str, float], truth: Mapping[str, Any]) -> None:
    expected = truth["delivered"][0] / truth["active_mass"]
    assert figures["specific_capacity"] == pytest.approx(expected, rel=0.002)


ASSERTIONS = {"eis": conductivity, "ca": transference, "licu": efficiency, "lis": capacity}
