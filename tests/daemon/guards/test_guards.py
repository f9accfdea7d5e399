"""Every guard by itself: what it objects to, and what looks alike and is sound."""

import math

import pytest

from daemon.guards import DEFAULT, Guards, Interlock, Look, SecondVoltage, Thresholds, check_open_circuit
from daemon.guards.losses import Losses
from daemon.guards.silence import Silence
from drivers.errors import LinkError
from protocols.errors import GuardError, LimitError
from protocols.reading import Flags, Reading
from protocols.setpoint import AtRest, Current, Setpoint, Voltage
from tests.daemon.stepped_bench import window

WINDOW = window((2.5, 4.3), 0.01)
CHARGE = Current(0.001, 4.32)
HOLD = Voltage(4.2, 0.0102)


def guards(thresholds: Thresholds = DEFAULT) -> Guards:
    return Guards(thresholds, WINDOW, sample=1.0)


def at(
    time: float,
    voltage: float,
    current: float,
    setpoint: Setpoint = CHARGE,
    *,
    before: Reading | None = None,
    flags: int = 0,
    open_circuit: float = 3.6,
    interval: float = 1.0,
) -> Look:
    """A look `time` seconds into a step."""
    reading = Reading(time, voltage, current, None, flags)
    return Look(reading, setpoint, time, before, open_circuit, interval)


def judge(found: Guards, *looks: Look) -> None:
    """Judge looks as an engine would, each with the one before it."""
    before = None
    for look in looks:
        found.judge(look._replace(before=before))
        before = look.reading


def test_a_sound_step_is_left_alone() -> None:
    judge(guards(), *(at(0.1 + n, 3.6 + 1e-4 * n, 0.001 + 1e-8 * (n % 3)) for n in range(200)))


def test_a_clamp_reached_under_a_set_current_is_no_end_of_a_step() -> None:
    with pytest.raises(GuardError, match=r"open lead or empty cell: the clamp holds 4\.3200 V"):
        judge(guards(), at(0.1, 4.32, 0.0009, flags=Flags.CLAMPED))


def test_a_clamp_reached_under_a_held_voltage_is_the_windows_affair() -> None:
    judge(guards(), at(5.0, 3.9, 0.0102, HOLD, flags=Flags.CLAMPED))


@pytest.mark.parametrize(("current", "trips"), [(0.00019, True), (-1e-9, True), (0.00096, False)])
def test_hardly_any_of_a_set_current_is_an_open_lead(current: float, trips: bool) -> None:
    look = at(0.1, 3.61, current)  # a fifth of 1 mA is 0.2 mA
    if not trips:
        return judge(guards(), look)
    with pytest.raises(GuardError, match="open lead"):
        judge(guards(), look)
    return None


def test_a_current_may_take_twenty_milliseconds_to_flow() -> None:
    judge(guards(), at(0.001, 3.6, 0.0), at(0.019, 3.6, 0.0), at(0.03, 3.6, 0.001))


def test_a_held_voltage_that_drives_no_current_from_the_beginning_is_an_open_lead() -> None:
    with pytest.raises(GuardError, match=r"open lead: 2e-10 A flow under 4\.2000 V"):
        judge(guards(), at(0.1, 4.2, 2e-10, HOLD))


def test_a_cell_that_stands_at_the_held_voltage_takes_no_current() -> None:
    judge(guards(), *(at(0.1 * n, 4.2, 2e-10, HOLD, open_circuit=4.19) for n in range(1, 9)))


def test_a_current_that_is_gone_at_once_is_an_open_lead_and_one_that_fades_is_not() -> None:
    fading = [at(float(n), 4.2, 1e-3 * 10.0**-n, HOLD) for n in range(1, 12)]
    judge(guards(), *fading)
    with pytest.raises(GuardError, match="open lead"):
        judge(guards(), at(60.0, 4.2, 1e-5, HOLD), at(61.0, 4.2, 1e-11, HOLD))


def test_a_current_the_wrong_way_round() -> None:
    with pytest.raises(GuardError, match=r"wrong sign of current: -0\.001 A flows, 0\.001 A was set"):
        judge(guards(), at(0.1, 3.59, -0.001))


@pytest.mark.parametrize(
    ("setpoint", "voltage", "current", "what"),
    [
        (CHARGE, 3.6, 0.00106, "current 0.00106 A, 0.001 ± 5e-05 A"),  # 5 % and 0.1 uA allowed
        (AtRest(4.32), 3.6, 6e-5, "current 6e-05 A, 0 ± 5e-05 A"),  # half a percent of 10 mA
        (HOLD, 4.23, 0.001, "voltage 4.23 V, 4.2 ± 0.026 V"),  # 5 mV and half a percent
    ],
)
def test_a_set_point_not_obeyed(setpoint: Setpoint, voltage: float, current: float, what: str) -> None:
    settling = [at(0.1, voltage, current, setpoint), at(1.9, voltage, current, setpoint)]
    once = at(2.5, voltage, current, setpoint)
    judge(guards(), *settling, once)
    with pytest.raises(GuardError, match="set point not obeyed") as trip:
        judge(guards(), *settling, once, at(3.5, voltage, current, setpoint))
    assert what in str(trip.value)


def test_objections_count_only_in_a_row() -> None:
    found = guards()
    for start in range(3, 40, 2):
        judge(found, at(start, 4.23, 0.001, HOLD), at(start + 1, 4.2, 0.001, HOLD))


def test_nineteen_identical_readings_are_chance_and_twenty_are_frozen() -> None:
    looks = [at(0.1 + n, 3.6, 0.001) for n in range(20)]
    judge(guards(), *looks[:19])
    with pytest.raises(GuardError, match=r"frozen readings: 3\.6 V and 0\.001 A 20 times in a row"):
        judge(guards(), *looks)


def test_readings_at_rest_may_stand_still() -> None:
    judge(guards(), *(at(0.1 + n, 3.6, 0.0, AtRest(4.32)) for n in range(100)))


@pytest.mark.parametrize(
    ("moved", "current", "trips"),
    [
        # 0.3 V and four times the 0.01 V/s of the second before; with the current as much again
        (-0.33, 0.001, False),
        (-0.35, 0.001, True),
        (0.37, 0.001, False),
        (0.39, 0.001, True),
        (0.35, -0.001, True),
        (0.35, 0.0, True),
    ],
)
def test_a_jump_that_the_current_cannot_account_for(moved: float, current: float, trips: bool) -> None:
    setpoint = Current(current, 4.32) if current else AtRest(4.32)
    looks = [
        at(9.0, 3.6 - math.copysign(0.01, current), current, setpoint),
        at(10.0, 3.6, current, setpoint),
        at(11.0, 3.6 + moved, current, setpoint),
    ]
    if not trips:
        return judge(guards(), *looks)
    with pytest.raises(GuardError, match=r"implausible jump: voltage 3\.6000 V to"):
        judge(guards(), *looks)
    return None


def test_half_a_volt_is_seen_however_far_apart_the_readings_are() -> None:
    # 1 mV in the minute before: beside 0.3 V a relaxation of 4 mV, not the 6 V of 0.1 V/s
    sound = at(0.0, 3.6, 0.0, AtRest(4.32)), at(60.0, 3.601, 0.0, AtRest(4.32), interval=60.0)
    judge(guards(), *sound, at(120.0, 3.9, 0.0, AtRest(4.32), interval=60.0))
    with pytest.raises(GuardError, match=r"in 60 s at 0 A, at most 0\.304 V"):
        judge(guards(), *sound, at(120.0, 4.1, 0.0, AtRest(4.32), interval=60.0))


def test_what_relaxes_fast_at_first_is_left_alone() -> None:
    # 0.5 V in the first ten seconds of a rest, and half of it in the next
    rest = AtRest(4.32)
    looks = at(0.0, 3.0, 0.0, rest), at(10.0, 3.5, 0.0, rest), at(20.0, 3.75, 0.0, rest)
    judge(guards(), *(look._replace(interval=10.0) for look in looks))


def test_of_the_first_move_only_the_smallest_capacitance_is_known() -> None:
    # 1 mA × 0.1 s / 10 uF = 10 V, beside 0.3 V and 0.01 V
    judge(guards(), at(0.1, 0.0, 0.001), at(0.2, 10.3, 0.001))
    with pytest.raises(GuardError, match="implausible jump"):
        judge(guards(), at(0.1, 0.0, 0.001), at(0.2, 10.32, 0.001))


def test_a_current_that_changes_may_move_the_voltage() -> None:
    # constant power: 1 kohm × 0.2 mA on top of the 0.4 V of a second
    judge(guards(), at(10.0, 3.6, 0.001, Current(0.001, 4.32)), at(11.0, 3.05, 0.0008, Current(0.0008, 4.32)))


def test_a_reading_is_late_after_its_interval_and_three_sample_periods() -> None:
    judge(guards(), at(10.0, 3.6, 0.001), at(13.9, 3.6, 0.0010001))
    with pytest.raises(GuardError, match=r"stale: 4\.1 s passed without a reading"):
        judge(guards(), at(10.0, 3.6, 0.001), at(14.1, 3.6, 0.0010001))


def test_patience_is_three_sample_periods_at_least_one_second_at_most_five() -> None:
    patience = [Guards(DEFAULT, WINDOW, sample).patience for sample in (0.1, 1.0, 60.0)]
    assert patience == [1.0, 3.0, 5.0]


def test_a_clock_that_stands_is_stale_once_the_core_has_waited_long_enough() -> None:
    coarse = [at(1e5, 3.6, 0.001 + 1e-8 * n, interval=0.1) for n in range(30)]
    judge(guards(), *coarse)  # 2.9 s waited, 3 s are allowed
    standing = [at(1e5, 3.6, 0.001 + 1e-8 * n) for n in range(5)]
    with pytest.raises(GuardError, match="clock stands at 100000 s"):
        judge(guards(), *standing)


def test_nothing_that_is_no_number_is_believed() -> None:
    """Guards leave it to the window, which trips; none of them raises anything else."""
    for setpoint in (CHARGE, HOLD, AtRest(4.32)):
        look = at(10.0, math.nan, math.nan, setpoint)
        judge(guards(), at(9.0, 3.6, 0.001, setpoint)._replace(since=0.1), look)
        with pytest.raises(LimitError):
            WINDOW.check(look.reading)


def warm(time: float, celsius: float, setpoint: Setpoint = CHARGE) -> Look:
    current = 0.0 if isinstance(setpoint, AtRest) else 0.001 + 1e-8 * (time % 3)
    look = at(time, 3.6, current, setpoint)
    return look._replace(reading=look.reading._replace(temperature=celsius))


def test_a_rise_of_more_than_five_kelvins_in_a_minute_is_a_cell_that_heats() -> None:
    # 6 K/min: 5.1 K after 51 s, and again a second later
    judge(guards(), *(warm(float(n), 25.0 + 0.1 * n) for n in range(52)))
    with pytest.raises(GuardError, match=r"heating: 25\.0 to 30\.2 degC within 60 s, a rise of 5 K"):
        judge(guards(), *(warm(float(n), 25.0 + 0.1 * n) for n in range(53)))


def test_a_slow_rise_a_single_wrong_value_and_a_chamber_at_work_are_no_heating() -> None:
    judge(guards(), *(warm(float(n), 25.0 + 0.08 * n) for n in range(600)))  # 4.8 K/min
    judge(guards(), *(warm(float(n), 85.0 if n == 30 else 25.0) for n in range(60)))
    judge(guards(), *(warm(float(n), 25.0 + n, AtRest(4.32)) for n in range(60)))


def held(*currents: float) -> list[Look]:
    """Looks at a hold of 4.2 V, one a second, from 10 s on."""
    return [at(10.0 + n, 4.2, current, HOLD) for n, current in enumerate(currents)]


FALLING = (1e-3, 6e-4, 4e-4, 2e-4, 2e-4, 2e-4)


def test_a_charging_current_that_grows_again_under_a_held_voltage_is_a_short() -> None:
    # twice the lowest mean of three, 0.2 mA, beside 2 % of 1 mA and 0.1 uA: up to 0.4201 mA may flow
    judge(guards(), *held(*FALLING, *([4.1e-4] * 15)))
    judge(guards(), *held(*FALLING, 4.3e-4, 4.3e-4, 2e-4, 4.3e-4, 4.3e-4))
    with pytest.raises(GuardError, match=r"rising current: 0\.00043 A .* fallen to 0\.0002 A"):
        judge(guards(), *held(*FALLING, 4.3e-4, 4.3e-4, 4.3e-4))


def test_nucleation_and_the_beginning_of_another_hold_are_no_short() -> None:
    judge(guards(), *held(*(-1e-5 * n for n in range(1, 100))))
    found = guards()
    judge(found, *held(*FALLING))
    again = Voltage(4.21, 0.0102)
    judge(found, *(look._replace(setpoint=again) for look in held(*([1e-3] * 9))))


def test_only_what_answers_at_once_is_a_contact() -> None:
    contacts = guards().contacts
    rest = at(100.0, 3.6, 0.0, AtRest(4.32))
    assert contacts.look(rest) is None
    late = at(101.0, 3.7, 0.001)._replace(since=0.3)
    assert contacts.look(late) is None
    contacts.rested(rest.reading)
    found = contacts.look(at(100.2, 3.62, 0.001)._replace(since=0.1))
    assert found is not None
    assert found.ohms == pytest.approx(20.0)  # 20 mV by 1 mA
    assert contacts.look(at(100.3, 3.62, 0.0, HOLD)._replace(since=0.1)) is None


class Door(Interlock):
    name = "chamber door"

    def __init__(self) -> None:
        self.is_open = False

    def objection(self) -> str | None:
        return "open" if self.is_open else None


def test_an_interlock_forbids_current_with_and_without_a_reading() -> None:
    door = Door()
    found = Guards(DEFAULT, WINDOW, 1.0, interlocks=[door])
    judge(found, at(0.1, 3.6, 0.001))
    found.check_interlocks()
    door.is_open = True
    with pytest.raises(GuardError, match="interlock chamber door: open"):
        judge(found, at(1.1, 3.6, 0.001))
    with pytest.raises(GuardError, match="interlock chamber door: open"):
        found.check_interlocks()


class Voltmeter(SecondVoltage):
    def __init__(self) -> None:
        self.seen: float | None = 3.62

    def volts(self) -> float | None:
        return self.seen


@pytest.mark.parametrize("seen", [3.66, 3.54, math.nan, None])
def test_two_voltmeters_must_agree(seen: float | None) -> None:
    voltmeter = Voltmeter()
    found = Guards(DEFAULT, WINDOW, 1.0, second_voltage=voltmeter)
    judge(found, at(0.1, 3.6, 0.001))
    voltmeter.seen = seen
    judge(found, at(1.1, 3.6, 0.001))
    with pytest.raises(GuardError, match="voltmeter"):
        judge(found, at(2.1, 3.6, 0.001))


@pytest.mark.parametrize(
    ("voltage", "likely"),
    [
        (-3.6, "connected the wrong way round"),
        (0.002, "is a cell connected"),
        (2.1, "is it the cell that was named"),
        (math.nan, "is it the cell that was named"),
    ],
)
def test_a_cell_outside_its_window_is_refused_with_what_it_looks_like(voltage: float, likely: str) -> None:
    with pytest.raises(LimitError, match=likely):
        check_open_circuit(voltage, WINDOW)


def test_the_third_lost_answer_within_ten_seconds_is_a_fault() -> None:
    losses = Losses()
    for time in (0.0, 9.0, 10.5, 19.5):  # any three of them span more than ten seconds
        losses.count(time, LinkError("lost"))
    with pytest.raises(LinkError, match="lost"):
        losses.count(20.5, LinkError("lost"))


def test_silence_is_judged_where_records_are_due() -> None:
    now = [0.0]
    silence = Silence(10.0, 5.0, now=lambda: now[0])
    now[0] = 34.9
    silence.check(heard=False)
    silence.check(heard=True)
    now[0] = 69.8  # 34.9 s later
    silence.check(heard=False)
    now[0] = 70.0
    with pytest.raises(GuardError, match=r"stale: no record for 35\.1 s"):
        silence.check(heard=False)
    Silence(None, 5.0, now=lambda: now[0]).check(heard=False)
