"""The simulated Neware, worked by clients that know nothing of it: aurora-neware, and bytes by hand."""

import asyncio
import zipfile
from collections.abc import Callable
from math import exp, inf
from pathlib import Path
from typing import Any, TypeVar

import pytest

from simulators.cells.base import Cell
from simulators.cells.library import make_cell
from simulators.clock import Clock
from simulators.neware import Neware
from simulators.neware.channel import Channel, Status
from simulators.neware.execution import Execution
from simulators.neware.meter import Meter
from simulators.neware.step_file import MOST_STEPS, Kind, Step, StepFile, StepFileError

T = TypeVar("T")

REST, CHARGE, DISCHARGE, HOLD, LOOP = 4, 1, 2, 3, 5


def step(kind: int, *, record: float = 1000.0, **limits: float) -> str:
    """One step of a file in the file's own units; loops are given their Start_Step and Cycle_Count."""
    values = "".join(f'<{name} Value="{value:f}"/>' for name, value in limits.items())
    where = "Other" if kind == LOOP else "Main"
    time = f'<Record><Main><Time Value="{record:f}"/></Main></Record>'
    return f'Step_Type="{kind}">{time}<Limit><{where}>{values}</{where}></Limit>'


def step_file(*steps: str, upper: float = 50000.0) -> str:
    numbered = "".join(f'<Step{n} Step_ID="{n}" {text}</Step{n}>' for n, text in enumerate(steps, 1))
    end = len(steps) + 1
    protect = f'<Protect><Main><Volt><Upper Value="{upper}"/><Lower Value="-50000"/></Volt></Main></Protect>'
    return (
        '<?xml version="1.0" encoding="utf-8"?><root><config type="Step File" version="17">'
        f"<Whole_Prt>{protect}</Whole_Prt>"
        f'<Step_Info Num="{end}">{numbered}<Step{end} Step_ID="{end}" Step_Type="6"/></Step_Info>'
        "</config></root>"
    )


async def with_client(
    act: Callable[[Any], T], *, cell: str = "blocking/pp", speed: float = inf, bays: int = 2
) -> T:
    """Let aurora-neware's client do something with a served instrument, in a thread of its own."""
    aurora = pytest.importorskip("aurora_neware", reason="aurora-neware is not installed")

    def work(port: int) -> T:
        with aurora.NewareAPI(port=port) as client:
            return act(client)

    async with Neware.serve(cell=cell, speed=speed, bays=[{}] * bays) as served:
        return await asyncio.to_thread(work, int(served.address.rpartition(":")[2]))


async def test_aurora_neware_lists_starts_and_downloads(tmp_path: Path) -> None:
    """A rest of 30 s and twice 60 s of 1 mA, recorded every 10 s: 4 + 2 × 7 records, 16.667 µAh a step."""
    file = tmp_path / "step.xml"
    file.write_text(
        step_file(
            step(REST, Time=30_000, record=10_000),
            step(CHARGE, Curr=1.0, Time=60_000, record=10_000),
            step(LOOP, Start_Step=2, Cycle_Count=2),
        )
    )

    def act(client: Any) -> None:
        assert list(client.channel_map) == ["27-1-1", "27-1-2"]
        assert client.inquire("27-1-1")["27-1-1"]["workstatus"] == "finish"
        assert [one["start"] for one in client.start("27-1-1", "cell 7", file, tmp_path)] == ["ok"]
        while client.inquiredf("27-1-1")["27-1-1"]["chl"] != "true":
            pass  # it lives as fast as it can, a page of records at every question
        data = client.download("27-1-1", last_n_points=0)
        assert data["seqid"] == list(range(1, 19))
        assert data["steptype"] == ["rest"] * 4 + ["cc"] * 14
        assert data["cycleid"] == [1] * 11 + [2] * 7
        assert data["testtime"] == [0, 10000, 20000, 30000, *([*range(0, 60001, 10000)] * 2)]
        assert data["cap"][-1] == pytest.approx(1e-3 * 60 / 3600, rel=1e-6)
        assert data["curr"][-1] == pytest.approx(1e-3, rel=1e-3)
        layer = client.get_steps("27-1-1")
        assert [(r["startseqid"], r["endseqid"], r["steptime"]) for r in layer] == [
            (1, 4, 30000),
            (5, 11, 60000),
            (12, 18, 60000),
        ]
        assert [line["log_code"] for line in client.downloadlog("27-1-1")] == [100000, 100001]
        idle = client.inquire("27-1-1")["27-1-1"]
        assert (idle["workstatus"], idle["barcode"], idle["step_type"]) == ("finish", "cell 7", None)
        assert client.get_testid("27-1-1")["27-1-1"]["test_id"] == 1
        assert client.stop("27-1-1")[0]["stop"] == "false"
        assert client.light("27-1-2")[0]["light"] == "ok"

    await with_client(act, cell="li_ion")


async def test_what_the_channel_cannot_do_is_not_started(tmp_path: Path) -> None:
    mistakes = {
        "too much current": step_file(step(CHARGE, Curr=101.0, Time=1000)),
        "nothing ends it": step_file(step(CHARGE, Curr=1.0)),
        "a loop to itself": step_file(step(REST, Time=1000), step(LOOP, Start_Step=2, Cycle_Count=2)),
        "no step file": "<root/>",
        "no xml": "hello there",
    }

    def act(client: Any) -> None:
        for name, text in mistakes.items():
            file = tmp_path / f"{name}.xml"
            file.write_text(text)
            assert client.start("27-1-1", name, file, tmp_path)[0]["start"] == "false", name
        assert client.inquiredf("27-1-1")["27-1-1"]["testid"] == 0

    await with_client(act)


async def test_protection_opens_the_circuit(tmp_path: Path) -> None:
    """10 mA charge the double layer of a blocking cell past 0.2 V."""
    file = tmp_path / "step.xml"
    file.write_text(step_file(step(CHARGE, Curr=10.0, Time=3_600_000), upper=2000.0))

    def act(client: Any) -> None:
        client.start("27-1-1", "c", file, tmp_path)
        while client.getchlstatus("27-1-1")["27-1-1"]["status"] == "working":
            pass
        assert client.getchlstatus("27-1-1")["27-1-1"]["status"] == "protect"
        assert client.download("27-1-1", last_n_points=0)["volt"][-1] > 0.2
        assert client.start("27-1-1", "again", file, tmp_path)[0]["start"] == "ok"

    await with_client(act)


async def test_bytes_are_those_of_a_captured_client() -> None:
    """Header, indentation, attribute order and trailer as BTS 8.0 sends them."""
    async with Neware.serve(speed=inf, bays=[{"place": "21-1-1"}]) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(served.address.rpartition(":")[2]))
        asked = '<?xml version="1.0" encoding="UTF-8" ?><bts version="1.0"><cmd>{}</cmd>{}</bts>'
        answers = []
        for trailer in (
            "\n\n#\r\n",
            "#\r\n",
            "\n\n",
        ):  # as aurora-neware, the TCP and the pipe of v1.19 end it
            writer.write((asked.format("getdevinfo", "") + trailer).encode())
            answers.append(await reader.readuntil(b"\n\n#\r\n"))
        writer.close()
        await writer.wait_closed()
    wanted = (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<bts version="1.0">\r\n  <cmd>getdevinfo_resp</cmd>\r\n'
        '  <serverip count="1">\r\n    <server ip="127.0.0.1" port="3306" />\r\n  </serverip>\r\n'
        '  <middle count="1">\r\n'
        '    <channel ip="127.0.0.1" devtype="27" devid="21" subdevid="1" Channelid="1">true</channel>\r\n'
        "  </middle>\r\n</bts>\n\n#\r\n"
    )
    assert [answer.decode() for answer in answers] == [wanted] * 3


class Ticking(Clock):
    """Runs by itself, a second per second, when its hands are moved."""

    speed = 1.0

    def __init__(self) -> None:
        self.moment = 0.0

    def now(self) -> float:
        return self.moment

    async def reach(self, moment: float) -> None:
        self.moment = max(self.moment, moment)


async def test_what_is_shown_is_five_seconds_old(tmp_path: Path) -> None:
    """Of a rest of 9 s recorded every second: six records at 7.5 s, and ten when it is seen to be over."""
    clock = Ticking()
    channel = Channel("27-1-1", make_cell("blocking/pp"), clock, seed=1)
    file = tmp_path / "step.xml"
    file.write_text(step_file(step(REST, Time=9_000)))
    assert channel.start(1, "c", str(file))
    shown = []
    for clock.moment in (4.9, 7.5, 9.5, 10.0):
        channel.live()
        assert channel.test is not None
        shown.append((channel.status, channel.count(channel.test)))
    assert shown == [
        (Status.WORKING, 1),
        (Status.WORKING, 6),
        (Status.WORKING, 6),
        (Status.FINISH, 10),
    ]


async def test_nested_loops_count_each_for_itself(tmp_path: Path) -> None:
    """Twice (one rest, three times another): 1 2 2 2 1 2 2 2."""
    file = step_file(
        step(REST, Time=1000),
        step(REST, Time=1000),
        step(LOOP, Start_Step=2, Cycle_Count=3),
        step(LOOP, Start_Step=1, Cycle_Count=2),
    )
    execution = executed(file)
    assert [execution.records[row.first].stepid for row in execution.layer] == [1, 2, 2, 2, 1, 2, 2, 2]


def executed(text: str, cell: Cell | None = None) -> Execution:
    cell = cell or make_cell("blocking/pp")
    execution = Execution(StepFile.parse(text.encode()), cell, Meter(cell, 1), 0.0, 0.1)
    execution.advance(inf, 1_000_000)
    return execution


class Capacitor(Cell):
    """Ten farads behind ten ohms, at 1 V: V = 1 + Q / 10 + 10 I, in one's head."""

    def __init__(self) -> None:
        self.charge = 0.0

    def drive_current(self, amperes: float, seconds: float) -> float:
        self.charge += amperes * seconds
        return 1.0 + self.charge / 10.0 + 10.0 * amperes

    def drive_voltage(self, volts: float, seconds: float) -> float:
        gone = 1.0 - exp(-seconds / 100.0)
        self.charge += (10.0 * (volts - 1.0) - self.charge) * gone
        return (volts - 1.0 - self.charge / 10.0) / 10.0

    def charge_passed(self) -> float:
        return self.charge

    def impedance(self, frequency: float) -> complex:
        return 10.0

    def state(self) -> float:
        return self.charge

    def restore(self, state: float) -> None:
        self.charge = state

    def truth(self) -> dict[str, float]:
        return {}


def test_a_charge_ends_at_its_voltage_and_a_hold_at_its_current() -> None:
    """10 mA: 1.1 V at once, 1 mV/s, 1.5 V after 400 s and 4 C; held there, 10 mA fall with 100 s to 1 mA
    after 230.3 s, 0.9 C later."""
    charge = step(CHARGE, Curr=10.0, Stop_Volt=15000, record=60_000)
    hold = step(HOLD, Curr=10.0, Volt=15000, Stop_Curr=1.0, record=10_000)
    execution = executed(step_file(charge, hold), Capacitor())
    charged, held = (execution.records[row.last] for row in execution.layer)
    assert charged.testtime == pytest.approx(400.0, abs=0.3)
    assert charged.coulombs == pytest.approx(4.0, rel=1e-3)
    assert charged.joules == pytest.approx(1.3 * 4.0, rel=1e-3)
    assert held.testtime == pytest.approx(230.3, abs=0.5)
    assert held.coulombs == pytest.approx(0.9, rel=5e-3)


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_records_are_the_same_however_many_are_asked_for_at_a_time(page: int) -> None:
    """Two cycles of a cell whose voltage makes the records; to the last bit."""
    steps = [
        step(DISCHARGE, Curr=1.0, Stop_Volt=17000, record=60_000),
        step(CHARGE, Curr=1.0, Stop_Volt=28000, record=60_000),
        step(LOOP, Start_Step=1, Cycle_Count=2),
    ]
    whole = executed(step_file(*steps), make_cell("li_s/pp"))
    cell = make_cell("li_s/pp")
    execution = Execution(StepFile.parse(step_file(*steps).encode()), cell, Meter(cell, 1), 0.0, 0.1)
    while execution.ending is None:
        execution.advance(inf, len(execution.records) + page)
    count = len(whole.records)
    assert count > 100
    assert list(execution.records.rows(1, count + 1)) == list(whole.records.rows(1, count + 1))


def test_a_share_of_an_earlier_step_is_an_end() -> None:
    """Discharged 60 s at 10 mA; the charge ends at 150 % of that, after 90 s."""
    discharge = step(DISCHARGE, Curr=10.0, Time=60_000)
    charge = step(CHARGE, Curr=10.0, Stop_Volt=20000)
    discharge = discharge.replace("</Limit>", f"<Other>{SET}</Other></Limit>")
    charge = charge.replace("</Limit>", f"<Other>{SHARE}</Other></Limit>")
    execution = executed(step_file(discharge, charge), Capacitor())
    assert execution.records[execution.layer[1].last].testtime == pytest.approx(90.0)


SET = '<Cnd1 Type="Set" Name="User1" Expression="Cap"/>'
SHARE = '<Cnd1 Type="Expression" Name="share" Expression="1.5*User1-Cap" Compare="&lt;=" Value="0"/>'


def test_records_come_by_voltage_and_by_time_whichever_is_first() -> None:
    """1 mV/s: every 5 mV is every 5 s, though a minute is asked for; at rest it is every minute."""
    charge = step(CHARGE, Curr=10.0, Time=100_000, record=60_000)
    by_voltage = charge.replace("</Record>", "</Record>").replace(
        "</Main></Record>", '<Volt Value="50"/></Main></Record>'
    )
    execution = executed(step_file(by_voltage, step(REST, Time=300_000, record=60_000)), Capacitor())
    first, second = execution.layer
    assert first.last - first.first == pytest.approx(20, abs=2)
    assert second.last - second.first == 5


def test_a_file_has_room_for_254_steps() -> None:
    StepFile.parse(step_file(*[step(REST, Time=1000)] * MOST_STEPS).encode())
    with pytest.raises(StepFileError, match="255 steps"):
        StepFile.parse(step_file(*[step(REST, Time=1000)] * (MOST_STEPS + 1)).encode())


def test_the_step_file_of_a_real_client_is_read() -> None:
    """A rest of half an hour, recorded every 71 s, protected from -1 V to 5 V."""
    zipped = Path(__file__).parents[1] / "data" / "neware_rest.ndax"
    [rest] = StepFile.parse(zipfile.ZipFile(zipped).read("Step.xml")).steps.values()
    assert isinstance(rest, Step)
    assert (rest.kind, rest.seconds, rest.rule.seconds) == (Kind.REST, 1800.0, 71.0)
    assert rest.window.volts == pytest.approx((-1.0, 5.0))
