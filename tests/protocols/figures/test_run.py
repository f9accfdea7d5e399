"""Steps are folded into cycles; what is not whole is left out."""

from dataclasses import replace

from protocols.figures.run import StepSummary, cycles_of


def step(ordinal: int, verb: str, cycle: int, coulombs: float, joules: float = 0.0) -> StepSummary:
    return StepSummary(
        ordinal, verb, cycle, coulombs, joules, duration=60.0, set_value=coulombs / 60, marks=("m",)
    )


STEPS = [
    step(1, "rest", 0, 0.0),
    step(2, "discharge", 1, -6.0, -12.0),
    step(3, "charge", 1, 5.0, 11.0),
    step(4, "hold", 1, 1.5, 4.0),
    step(5, "discharge", 2, -5.0, -10.0),
]


def test_a_cycle_sums_its_steps_either_way() -> None:
    first, second = cycles_of(STEPS)
    # charge 5 + 1.5 C and 11 + 4 J, mean 15 / 6.5 V; discharge 12 J over 6 C
    assert (first.charge_capacity, first.discharge_capacity) == (6.5, 6.0)
    assert (first.charge_voltage, first.discharge_voltage) == (15 / 6.5, 2.0)
    assert (first.discharge_current, first.charge_current) == (0.1, 5 / 60)
    assert first.marks == ("m",)
    assert second.charge_capacity is None


def test_while_the_run_goes_on_its_last_cycle_is_not_over() -> None:
    assert [c.number for c in cycles_of(STEPS, ended=False)] == [1]


def test_a_cycle_cut_short_counts_for_nothing() -> None:
    cut = [*STEPS[:2], replace(STEPS[2], complete=False), STEPS[4]]
    assert [c.number for c in cycles_of(cut)] == [2]


def test_a_polarisation_is_no_half_cycle() -> None:
    assert cycles_of([step(1, "polarise", 1, 0.1)]) == []
