"""What the simulated EmStat4 does to a cell one can reckon with: E = 3 V + Q / C + I R."""

import asyncio
import math

import pytest

from simulators.cells.library import make_cell
from simulators.emstat4 import EmStat4, Manners
from tests.simulators.emstat4_bench import JumpClock, LinearCell, MemoryStream, bench, decode, packages

SEND = "pck_start\npck_add e\npck_add i\npck_end"
END = "on_finished:\ncell_off"


async def test_a_charge_ends_at_the_first_point_beyond_its_limit() -> None:
    script = f"""
        var e
        var i
        set_pgstat_mode 6
        set_range db 10m
        set_i 0
        cell_on
        meas_loop_cp e i 10m 100 20k
            {SEND}
            if e >= 3050500u
                breakloop
            endif
        endloop
        {END}
    """
    async with bench(LinearCell(farads=1000, ohms=0.1)) as one:
        lines = await one.run(script)
        # 3.001 V + 10 mA * t / 1000 F passes 3.0505 V at 4950 s; the point after that is at 5000 s: 3.051 V
        assert lines[0] == "M0008"
        assert lines[-1] == "*"
        points = packages(lines)
        assert len(points) == 50
        assert points[-1] == pytest.approx([3.051, 0.01])
        assert one.cell.charge_passed() == pytest.approx(50.0)
        assert one.clock.now() == pytest.approx(5000.0)
        assert not one.instrument.cell_is_on
        # the 1 V potential range (6) carries up to 6 V; 10 mA is range 24 = 0x18, both without complaint
        assert [metadata for _, _, metadata in decode(lines[-2])] == [",10,206", ",10,218"]


CONSTANT_CURRENT_CONSTANT_VOLTAGE = f"""
    var e
    var i
    var ocp
    set_pgstat_mode 6
    set_range db 10m
    cell_on ocp(ocp)
    meas_loop_cp e i 10m 100 20k
        {SEND}
        if e >= 3205m
            breakloop
        endif
    endloop
    cell_off
    set_pgstat_mode 3
    set_range_minmax da 3205m 3205m
    set_range ba 10m
    set_autoranging ba 100u 10m
    set_e 3205m
    cell_on
    meas_loop_ca e i 3205m 100 20k
        {SEND}
        if i <= 1m
            breakloop
        endif
    endloop
    cell_off
    set_pgstat_mode 6
    cell_on ocp(ocp)
    meas_loop_cp e i -10m 100 20k
        {SEND}
        if e <= 3
            breakloop
        endif
    endloop
    {END}
"""


async def test_a_charge_a_hold_and_a_discharge_in_one_script() -> None:
    async with bench(LinearCell(farads=100, ohms=10)) as one:
        lines = await one.run(CONSTANT_CURRENT_CONSTANT_VOLTAGE)
        charge, hold, discharge = (packages(part.splitlines()) for part in "\n".join(lines).split("*")[:3])
        # 3.1 V + 1e-4 V/s * t passes 3.205 V at 1050 s: 11 points, 3.21 V, 3.11 V inside
        assert len(charge) == 11
        assert charge[-1] == pytest.approx([3.21, 0.01])
        # (3.205 - 3.11) V / 10 ohm = 9.5 mA, falling with R C = 1000 s: 1 mA at 1000 ln 9.5 = 2251 s
        assert len(hold) == 23
        assert hold[0] == pytest.approx([3.205, 9.5e-3 * math.exp(-0.1)])
        assert hold[-1] == pytest.approx([3.205, 9.5e-3 * math.exp(-2.3)])
        # inside 3.205 - 0.095 e^-2.3 = 3.195475 V; 0.1 V less under load, 3 V after 955 s: 10 points
        assert len(discharge) == 10
        assert discharge[-1] == pytest.approx([3.0954752 - 0.1, -0.01])
        assert one.clock.now() == pytest.approx(1100 + 2300 + 1000)


async def test_a_galvanostat_stops_at_the_voltage_it_can_reach() -> None:
    # LR: 3 V. 2.9 V + 10 mA * 1 ohm + 1e-3 V/s * t is 3 V at 90 s; from there 10 mA * e^(-t / 10 s)
    script = f"var e\nvar i\nset_pgstat_mode 6\ncell_on\nmeas_loop_cp e i 10m 100 100\n{SEND}\nendloop"
    async with bench(LinearCell(volts=2.9, farads=10, ohms=1), manners=Manners(model="lr")) as one:
        lines = await one.run(script)
        assert packages(lines) == [pytest.approx([3.0, 0.01 * math.exp(-1)])]
        assert [metadata[:3] for _, _, metadata in decode(lines[1])] == [",12", ",12"]
        # 0.9 C at 10 mA, then 0.1 C * (1 - 1/e)
        assert one.cell.charge_passed() == pytest.approx(0.9 + 0.1 * (1 - math.exp(-1)))


async def test_a_potentiostat_gives_no_more_current_than_it_has() -> None:
    # HR: 200 mA. 4 V wants 1 A through 1 ohm; at 200 mA 3.2 V + 0.02 V/s * t is 4 V at 40 s,
    # then 200 mA * e^(-t / 10 s)
    script = f"var e\nvar i\nset_pgstat_mode 3\nset_e 4\ncell_on\nmeas_loop_ca e i 4 25 50\n{SEND}\nendloop"
    async with bench(LinearCell(farads=10, ohms=1)) as one:
        lines = await one.run(script)
        assert packages(lines) == [
            pytest.approx([4.0, 0.2]),
            pytest.approx([4.0, 0.2 * math.exp(-1)]),
        ]
        assert one.cell.charge_passed() == pytest.approx(8 + 2 * (1 - math.exp(-1)))


async def test_a_current_beyond_its_range_is_clipped_and_says_so() -> None:
    # 20 mA in the 1 mA range (21 = 0x15): clipped at 1.02 mA, overload; 5 uA there: underload
    script = "var e\nvar i\nset_pgstat_mode 3\nset_range ba 1m\nset_e 3020m\ncell_on\n"
    script += f"meas_loop_ca e i 3020m 1m 1m\n{SEND}\nendloop\n"
    script += f"meas_loop_ca e i 3000005u 1m 1m\n{SEND}\nendloop\n{END}"
    async with bench(LinearCell(farads=1e9, ohms=1)) as one:
        lines = await one.run(script)
    assert [current for _, current in packages(lines)] == pytest.approx([1.02e-3, 5e-6], rel=1e-4)
    metadata = [decode(line)[1][2] for line in lines if line.startswith("P")]
    assert metadata == [",12,215", ",14,215"]


async def test_autoranging_takes_the_range_of_the_current() -> None:
    script = "var e\nvar i\nset_pgstat_mode 3\nset_autoranging ba 1u 10m\nset_e 3\ncell_on\n"
    for microvolts in (3_002_000, 3_000_050, 3_000_000):
        script += f"meas_loop_ca e i {microvolts}u 1m 1m\n{SEND}\nendloop\n"
    async with bench(LinearCell(farads=1e9, ohms=1)) as one:
        ranges = [decode(line)[1][2][-2:] for line in await one.run(script + END) if line.startswith("P")]
    # 2 mA: 10 mA (24); 50 uA: 100 uA (18); 0: the finest allowed, 1 uA (12)
    assert ranges == [f"{24:02X}", f"{18:02X}", f"{12:02X}"]


async def test_open_circuit_is_measured_with_the_cell_off_only() -> None:
    script = (
        "var e\nset_pgstat_mode 3\n{}\nmeas_loop_ocp e 1 3\npck_start\npck_add e\npck_end\nendloop\n" + END
    )
    async with bench() as one:
        lines = await one.run(script.format("cell_off"))
        assert packages(lines) == [[3.0]] * 3
        assert await one.error(script.format("set_e 3\ncell_on")) == "!0014: Line 5"
        assert not one.instrument.cell_is_on


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("set_pgstat_mode 7", "!0021: Line 4"),
        ("set_pgstat_mode 5", "!001B: Line 4"),
        ("set_e 1", "!0023: Line 4"),
        ("set_i 1m", "!0023: Line 4"),
        ("cell_on", "!0023: Line 4"),
        ("set_pgstat_mode 6\nset_e 1", "!0023: Line 5"),
        ("set_pgstat_mode 6\nmeas_loop_ca a b 1 1 1\nendloop", "!0023: Line 5"),
        ("set_pgstat_mode 2\nmeas_loop_cp a b 1m 1 1\nendloop", "!0023: Line 5"),
        ("set_pgstat_mode 2\nset_e 6100m", "!000F: Line 5"),
        ("set_pgstat_mode 2\nset_e 3\nmeas_loop_ca a b 3 1 1\nendloop", "!4027: Line 6"),
        ("set_pgstat_mode 6\nset_i 201m", "!4205: Line 5"),
        ("set_pgstat_mode 6\nset_range db 1m\nset_i 1100u", "!4205: Line 6"),
        ("set_range ba 300m", "!4205: Line 4"),
        ("set_autoranging ba 10m 1m", "!4205: Line 4"),
        ("set_range_minmax da -7 1", "!000F: Line 4"),
        ("set_pgstat_mode 2\nset_e 3\ncell_on\nmeas_loop_ca a b 3 10 5\nendloop", "!4029: Line 7"),
        ("set_pgstat_mode 2\nset_e 3\ncell_on\nmeas_loop_ca a b 3 c 5\nendloop", "!4204: Line 7"),
        ("set_pgstat_mode 2\nset_e 3\ncell_on\nmeas_loop_eis a b c 10m 1M 1 3i 3\nendloop", "!0011: Line 7"),
        ("set_pgstat_mode 2\nset_e 3\ncell_on\nmeas_loop_eis a b c 2 1k 1 3i 3\nendloop", "!0012: Line 7"),
        ("set_pgstat_mode 2\nset_e 3\ncell_on\nmeas_loop_lsv a b 0 1 9u 1\nendloop", "!001C: Line 7"),
        ("meas 1 a cb", "!4209: Line 4"),
    ],
)
async def test_what_the_instrument_cannot_do_is_an_error_and_leaves_the_cell_off(
    line: str, error: str
) -> None:
    async with bench() as one:
        assert await one.error(f"var a\nvar b\nvar c\n{line}\n{END}") == error
        assert not one.instrument.cell_is_on


async def test_a_change_of_mode_opens_the_circuit() -> None:
    async with bench() as one:
        await one.run("set_pgstat_mode 2\nset_e 3\ncell_on\nset_pgstat_mode 2")
        assert one.instrument.cell_is_on
        await one.run("set_pgstat_mode 6")
        assert not one.instrument.cell_is_on


async def test_connecting_at_open_circuit_moves_no_charge() -> None:
    script = "var v\nset_pgstat_mode 3\ncell_on ocp(v)\nwait 100\npck_start\npck_add v\npck_end\n" + END
    async with bench(LinearCell(volts=3.3)) as one:
        lines = await one.run(script)
        assert packages(lines) == [[pytest.approx(3.3)]]
        assert lines[0].startswith("Pab")
        assert one.cell.charge_passed() == pytest.approx(0.0, abs=1e-9)


async def test_a_linear_sweep_measures_both_ends() -> None:
    script = f"""
        var e
        var i
        set_pgstat_mode 2
        set_e 3
        cell_on
        meas_loop_lsv e i 3 3200m 100m 50m
            {SEND}
        endloop
    """
    # a pure resistor of 10 ohm at 3 V: 0, 10 and 20 mA; 100 mV at 50 mV/s are 2 s
    async with bench(LinearCell(farads=1e12, ohms=10)) as one:
        lines = await one.run(script)
        assert lines[0] == "M0000"
        points = [[3.0, 0.0], [3.1, 0.01], [3.2, 0.02]]
        assert packages(lines) == [pytest.approx(point, abs=1e-9) for point in points]
        assert one.clock.now() == pytest.approx(6.0)


async def test_a_cyclic_sweep_goes_round_as_often_as_it_is_told_to() -> None:
    script = f"""
        var e
        var i
        set_pgstat_mode 2
        set_e 3
        cell_on
        meas_loop_cv e i 3 3200m 2900m 100m 100m nscans(2)
            {SEND}
        endloop
    """
    async with bench(LinearCell(farads=1e12, ohms=10)) as one:
        lines = await one.run(script)
        assert one.clock.now() == pytest.approx(13.0)
    shape = "".join(line if line[0] in "C-*M" else "P" for line in lines)
    # begin, two up, three down, one back; the second scan begins where the first ended
    assert shape == "M0005" + "C0000" + "P" * 7 + "-" + "C0001" + "P" * 6 + "-" + "*"
    levels = [point[0] for point in packages(lines)]
    scan = [3.1, 3.2, 3.1, 3.0, 2.9, 3.0]
    assert levels == pytest.approx([3.0, *scan, *scan])


async def test_a_sweep_may_be_reversed_by_its_host() -> None:
    script = f"""
        var e
        var i
        set_pgstat_mode 2
        set_e 3
        cell_on
        meas_loop_cv e i 3 3500m 2900m 100m 100m
            {SEND}
        endloop
    """
    clock = JumpClock(speed=1)
    clock.open_until(2.5)
    async with bench(LinearCell(farads=1e12, ohms=10), clock) as one:
        one.send_script(script)
        await clock.at_the_gate()
        one.stream.say("R\n")
        await one.stream.until(b"R\n")
        clock.open_until(100)
        lines = (await one.stream.until(b"\n\n")).splitlines()
    # 3.0 and 3.1 V were measured and 3.2 V was set when the turn came
    assert [point[0] for point in packages(lines)] == pytest.approx([3.2, 3.1, 3.0, 2.9, 3.0])


async def test_a_current_sweep_measures_potentials() -> None:
    script = f"""
        var e
        var i
        set_pgstat_mode 6
        cell_on
        meas_loop_lsp e i -10m 10m 10m 5m
            {SEND}
        endloop
    """
    async with bench(LinearCell(farads=1e12, ohms=10)) as one:
        lines = await one.run(script)
        points = [[2.9, -0.01], [3.0, 0.0], [3.1, 0.01]]
        assert packages(lines) == [pytest.approx(point, abs=1e-9) for point in points]
        assert one.clock.now() == pytest.approx(6.0)


async def test_a_spectrum_takes_its_time_and_reads_the_impedance() -> None:
    script = f"""
        var f
        var r
        var z
        set_pgstat_mode 3
        set_max_bandwidth 1M
        set_range ab 4
        set_autoranging ba 1u 100m
        set_e 3
        cell_on
        meas_loop_eis f r z 10m 1k 1 4i 3
            pck_start
            pck_add f
            pck_add r
            pck_add z
            pck_end
        endloop
        {END}
    """
    async with bench(LinearCell(farads=1, ohms=2)) as one:
        lines = await one.run(script)
        assert lines[0] == "M000D"
        assert [vartype for vartype, _, _ in decode(lines[1])] == ["dc", "cc", "cd"]
        # 2 ohm - j / (2 pi f)
        expected = [[f, 2.0, -1 / (2 * math.pi * f)] for f in (1000.0, 100.0, 10.0, 1.0)]
        assert packages(lines) == [pytest.approx(point, rel=1e-6) for point in expected]
        # 0.1 s at least, three periods otherwise: 0.1 + 0.1 + 0.3 + 3
        assert one.clock.now() == pytest.approx(3.5)
        # 14.1 mV peak are 7.07 mA: the 10 mA range (24 = 0x18); 14.1 mV: the 50 mV range (2)
        assert [metadata for _, _, metadata in decode(lines[1])] == ["", ",10,218", ",10,202"]


@pytest.mark.parametrize(("rms", "status"), [(True, ",12,21B"), (False, ",18,21B")])
async def test_whether_the_amplitude_is_rms_shows_in_the_overload(rms: bool, status: str) -> None:
    # 180 mV over 1 ohm: 255 mA if that is rms, an overload; 180 mA if it is the peak, above the 100 mA of
    # the range (27 = 0x1B) but within the 200 mA of the instrument
    script = "var f\nvar r\nvar z\nset_pgstat_mode 3\nset_e 3\ncell_on\nmeas_loop_eis f r z 180m 1k 1k 1i 3\n"
    script += f"pck_start\npck_add r\npck_end\nendloop\n{END}"
    async with bench(LinearCell(farads=1e6, ohms=1), manners=Manners(amplitude_is_rms=rms)) as one:
        ((_, _, metadata),) = decode((await one.run(script))[1])
    assert metadata == status


async def test_a_galvanostatic_spectrum_sees_the_cell_change_between_its_points() -> None:
    script = f"""
        var f
        var r
        var z
        var e
        set_pgstat_mode 6
        set_range db 100m
        cell_on
        meas_loop_geis f r z 1m 10 1 2i 100m add_meas(0i ab e)
            pck_start
            pck_add f
            pck_add r
            pck_add e
            pck_end
        endloop
        {END}
    """
    async with bench(LinearCell(farads=1, ohms=2)) as one:
        lines = await one.run(script)
        # 100 mA into 1 F behind 2 ohm: 3.2 V + 0.1 V/s * t at 0.3 s and 3.3 s
        assert packages(lines) == [pytest.approx([10, 2, 3.23]), pytest.approx([1, 2, 3.53])]


async def test_a_single_measurement_takes_its_time() -> None:
    script = "var v\nvar c\nset_pgstat_mode 6\nset_i 100m\ncell_on\nmeas 10 v ab\nmeas 10 c ba\n"
    script += f"pck_start\npck_add v\npck_add c\npck_end\n{END}"
    async with bench(LinearCell(farads=10, ohms=1)) as one:
        # 3.1 V + 0.01 V/s * 10 s
        assert packages(await one.run(script)) == [pytest.approx([3.2, 0.1])]
        assert one.cell.charge_passed() == pytest.approx(2.0)


@pytest.mark.parametrize("speed", [1.0, 1000.0, math.inf])
async def test_results_do_not_depend_on_speed(speed: float) -> None:
    async with bench(LinearCell(farads=100, ohms=10), JumpClock(speed)) as one:
        lines = await one.run(CONSTANT_CURRENT_CONSTANT_VOLTAGE)
        assert len(packages(lines)) == 11 + 23 + 10
        assert one.cell.charge_passed() == pytest.approx(100 * (0.205 - 0.095 * math.exp(-2.3)) - 10)


async def noisy(seed: int) -> str:
    """Return what a charge of the library's Li-ion cell says through a front end with its errors."""
    stream = MemoryStream()
    conversation = asyncio.create_task(
        EmStat4(make_cell("li_ion", seed), JumpClock(), seed).converse(stream), name="conversation"
    )
    script = f"var e\nvar i\nset_pgstat_mode 6\ncell_on\nmeas_loop_cp e i 1m 1 100\n{SEND}\nendloop\n{END}"
    stream.say(f"e\n{script}\n\n")
    said = await stream.until(b"\n\n")
    stream.hang_up()
    await conversation
    return said


async def test_the_same_seed_says_the_same_bytes() -> None:
    first, again, other = await noisy(1), await noisy(1), await noisy(2)
    assert first == again
    assert first != other
    assert first.count("P") == 100
