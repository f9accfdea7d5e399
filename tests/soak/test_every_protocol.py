"""Every ready protocol on every instrument that can hold it: the same figures; others refuse by name."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from daemon.client import AnswerError, ask
from daemon.places import Places
from daemon.requests import Check
from daemon.sources import cell_source, protocol_source
from daemon.up import Plan, service
from tests.soak.every_protocol import DRIVERS, PROTOCOLS, bench, study
from tests.system.command import galvanod

CLOSE = {
    "specific_capacity": 0.003,
    "discharge capacity": 0.003,
    "areal_capacity": 0.003,
    "rate_capability": 0.003,
    "coulombic_efficiency": 0.01,  # of cells with seeds of their own
    "average_coulombic_efficiency": 0.01,
    "hysteresis": 0.005,
    "overpotential": 0.005,
    "steady_overpotential": 0.01,
    "ionic_conductivity": 0.005,
    "transference_number": 0.01,
    "voltammetry_peaks": 0.001,
}
"""How far two instruments may be apart, relatively: their stated accuracies and their sampling."""

RESERVOIR = ("li_cu_aurbach", "areal capacity, cycle 3")
"""The last strip brings 5 mAh/cm2 less what every cycle before has lost, by the seed of its cell."""


@pytest.mark.timeout(60)
async def test_what_an_instrument_cannot_hold_it_refuses_by_name(tmp_path: Path) -> None:
    file = tmp_path / "bench.yaml"
    file.write_text(bench())
    places = Places(tmp_path / "state")
    async with service(Plan(places, file)):
        for name, one in PROTOCOLS.items():
            refused = {driver: await asyncio.to_thread(_refusal, places, name, driver) for driver in DRIVERS}
            assert {driver for driver in DRIVERS if refused[driver] is None} == set(one.drivers), name
            for error in filter(None, refused.values()):
                assert "an instrument that can" in str(error)
                assert error.trouble.problems[0]["line"] > 1


def _refusal(places: Places, name: str, driver: str) -> AnswerError | None:
    protocol, cell = protocol_source(name), cell_source(PROTOCOLS[name].cell)
    variables = {"current": "1 mA/cm2"} if name.startswith("na_cu") else {}
    request = Check(protocol.text, protocol.file, cell.text, cell.file, driver, variables)
    try:
        ask(places.socket, request)
    except AnswerError as error:
        return error
    return None


@pytest.mark.timeout(1800)
async def test_whoever_runs_it_the_figures_are_the_same(tmp_path: Path) -> None:
    files = tmp_path / "bench.yaml", tmp_path / "study.yaml"
    for file, text in zip(files, (bench(), study()), strict=True):
        file.write_text(text)
    state = tmp_path / "state"
    async with service(Plan(Places(state), files[0])):
        answer = await galvanod("study", str(files[1]), "--json", state=state, patience=1500.0)
    assert answer.status == 0, answer.output[-2000:]
    assert answer.json["lost"] == 0
    by_figure: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in answer.json["lines"]:
        # a reservoir is not stripped in each cycle: what goes in of one plating comes out of the next
        if line["put_in"] is not None and line["protocol"] != "li_cu_aurbach":
            assert line["measured"]["mean"] == pytest.approx(line["put_in"], rel=0.02), line
        by_figure[line["protocol"], line["what"]].append(line)
    for (protocol, what), lines in by_figure.items():
        tolerance = next((value for name, value in CLOSE.items() if _is_of(what, name)), None)
        if tolerance is None or (protocol, what) == RESERVOIR:
            continue
        assert len(lines) == len(PROTOCOLS[protocol].drivers), (protocol, what)
        for line in lines[1:]:
            expected = lines[0]["measured"]["mean"]
            assert line["measured"]["mean"] == pytest.approx(expected, rel=tolerance), (protocol, what, line)


def _is_of(what: str, name: str) -> bool:
    return what.partition(",")[0] == name.replace("_", " ")
