"""Every stated uncertainty is honest: little bias, and a 95 % interval that holds the truth that often.

The claim is for 200 seeds: bias below a fifth of the uncertainty, 90 to 99 % of intervals right. Fewer
seeds can only refute it; the bounds say by how much a true claim may miss by chance (three standard
deviations).
"""

import os
from math import sqrt

import pytest

from protocols.figures.estimate import Estimate
from tests.protocols.figures.honesty import ALARMS, CASES
from tests.protocols.figures.synthetic import covered

SOAKING = bool(os.environ.get("GALVANOD_SOAK"))
SLOW = frozenset(
    {
        *("bulk_resistance", "ionic_conductivity", "macmullin_number", "interfacial_resistance"),
        *("resistance_drift", "transference_number", "evans_vincent_bruce", "plateau_capacity"),
        *(
            "circuit_R0",
            "circuit_R1",
            "circuit_C1",
            "differential_capacity_peak",
            "transference_extrapolated",
            "transference_of_an_instrument",
        ),
    }
)
"""Those that fit circuits, or repeat themselves: all 200 seeds only under `make soak`."""


@pytest.mark.timeout(3600 if SOAKING else 60)
@pytest.mark.parametrize("name", CASES)
def test_the_uncertainty_is_honest(name: str) -> None:
    seeds = 200 if SOAKING or name not in SLOW else 8
    answers = [CASES[name](seed) for seed in range(seeds)]
    # every answer moved to a truth of nought: the truth itself may differ from seed to seed
    errors = [Estimate(a.said.value - a.truth, a.said.uncertainty) for a in answers]
    bias, coverage = covered(errors, 0.0)
    by_chance = 0.0 if seeds >= 200 else 3.0
    assert abs(bias) < 0.2 + by_chance / sqrt(seeds)
    assert coverage >= 0.90 - by_chance * sqrt(0.95 * 0.05 / seeds)
    assert coverage <= 0.99 or seeds < 200


@pytest.mark.parametrize("name", ALARMS)
def test_a_warning_is_given_where_it_is_due_and_hardly_ever_elsewhere(name: str) -> None:
    """Of 200 seeds, every second sound: at most 2 % of those are warned of, and 95 % of the others."""
    alarms = [ALARMS[name](seed) for seed in range(200)]
    false = [alarm.given for alarm in alarms if not alarm.due]
    due = [alarm.given for alarm in alarms if alarm.due]
    assert sum(false) <= 0.02 * len(false)
    assert sum(due) >= 0.95 * len(due)
