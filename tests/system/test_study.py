"""A study on a running service: cells one after the other on the channels there are, and taken up again."""

from pathlib import Path

import pytest

from daemon.places import Places
from daemon.up import Plan, service
from tests.system.command import galvanod

pytestmark = [pytest.mark.system]

BENCH = """bench: two potentiostats
instruments:
  vmp3: {driver: emstat4, simulate: {cell: blocking/pp, speed: max}}
  neware: {driver: emstat4, sample: 10 s, simulate: {cell: li_s/pp, speed: max}}
"""
STUDY = """study: conductivity and capacity
replicates: 2
runs:
  - protocol: ionic_conductivity
    cell: ss_sep_ss
    on: vmp3
    variants:
      PP: {simulated: blocking/pp, source: {ionic_conductivity: 0.305 +- 0.05 mS/cm}}
      Ti0.87O2/PP: {simulated: blocking/ti087o2, source: {ionic_conductivity: "> 0.2 mS/cm"}}
  - protocol: li_s_cycling
    cell: li_s
    on: neware
    replicates: 1
    variables: {cycles: 2}
    variants:
      PP: {simulated: li_s/pp, source: {capacity: 980 -> 345 mAh/g in 500 cycles}}
"""


@pytest.mark.timeout(600)
async def test_a_study_is_conducted_and_taken_up_again(tmp_path: Path) -> None:
    bench, study, state = tmp_path / "bench.yaml", tmp_path / "study.yaml", tmp_path / "state"
    bench.write_text(BENCH)
    study.write_text(STUDY)
    async with service(Plan(Places(state), bench)):
        first = await galvanod("study", str(study), "--json", state=state)
        assert first.status == 0, first.complaints
        again = await galvanod("study", str(study), "--json", state=state)
        study.write_text(STUDY.replace("on: vmp3", "on: vmp4"))
        refused = await galvanod("study", str(study), "--json", state=state)
    found = first.json
    assert (found["lost"], len(found["cells"])) == (0, 5)
    conductivity = found["lines"][:2]
    assert [line["measured"]["count"] for line in conductivity] == [2, 2]
    for line in conductivity:
        assert line["measured"]["mean"] == pytest.approx(line["put_in"], rel=0.005)
    assert conductivity[0]["agrees"] is True
    capacity = {line["what"]: line for line in found["lines"][2:]}
    assert capacity["first cycle"]["claimed"] == 980
    assert capacity["cycle 2"]["measured"]["mean"] == pytest.approx(capacity["cycle 2"]["put_in"], rel=0.002)
    assert [one["run"] for one in again.json["cells"]] == [one["run"] for one in found["cells"]]
    assert refused.status == 65
    assert "study.yaml:6:9: the bench has no 'vmp4'" in refused.output
