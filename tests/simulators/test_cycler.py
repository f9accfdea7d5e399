"""An instrument with many channels: one wire, and cells that live apart."""

import asyncio

import pytest

from simulators.cycler import SimulatedCycler
from simulators.instrument import Stream
from tests.simulators.json_port import json_port


class Voltmeter(SimulatedCycler):
    """Answers every line, which is a place, with the voltage there."""

    name = "voltmeter"

    async def converse(self, stream: Stream) -> None:
        while line := await stream.read():
            self.live()
            voltage = {bay.place: bay.cell.drive_current(0.0, 0.0) for bay in self.bays}
            await stream.write(f"{voltage[line.decode().strip()]:.3f}\n".encode())

    def live(self) -> None:
        for bay in self.bays:
            bay.cell.rest_until(bay.clock.now())

    @classmethod
    def is_place(cls, place: str) -> bool:
        return place.isdigit()


async def asked(address: str, *places: str) -> list[float]:
    port = int(address.split("::")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for place in places:
        writer.write(f"{place}\n".encode())
        answers.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return [float(answer) for answer in answers]


async def test_each_place_has_a_cell_of_its_own_and_another_can_be_put_in() -> None:
    bays = [{"cell": "li_s/pp"}, {"cell": "blocking/pp"}, {"place": "7", "cell": "li_ion"}]
    async with Voltmeter.serve(speed=1.0, seed=4, bays=bays) as served:
        assert [(bay.place, bay.seed) for bay in served.bays] == [("1", 4), ("2", 5), ("7", 6)]
        sulfur, blocking, ion = await asked(served.address, "1", "2", "7")
        assert sulfur > 2.0
        assert abs(blocking) < 0.1
        assert ion > 2.5
        async with json_port(served.bays[1].rehearsal) as port:
            assert "now" in await port.ask({"insert": {"cell": "li_s/pp", "seed": 1}})
            assert "error" in await port.ask({"insert": {"cell": "li_x/pp"}})
        assert (await asked(served.address, "2"))[0] > 2.0


async def test_each_cell_lives_in_its_own_time_at_the_greatest_speed() -> None:
    async with Voltmeter.serve(speed=float("inf"), bays=[{"cell": "li_s/pp"}, {"cell": "li_s/pp"}]) as served:
        await asked(served.address, "1")
        async with (
            json_port(served.bays[0].rehearsal) as first,
            json_port(served.bays[1].rehearsal) as second,
        ):
            assert (await first.ask({"until": 100.0}))["now"] == 100.0
            assert await second.now() == 0.0


async def test_a_fault_of_one_cell_is_its_own_and_one_of_the_wire_is_everybodys() -> None:
    bays: list[dict[str, object]] = [
        {"cell": "li_s/pp", "faults": ["reversed at 0 s"]},
        {"cell": "li_s/pp"},
    ]
    async with Voltmeter.serve(speed=1.0, bays=bays) as served:
        first, second = await asked(served.address, "1", "2")
        assert first < -2.0
        assert second > 2.0
        async with json_port(served.bays[1].rehearsal) as port:
            await port.ask({"fault": {"fault": "garbled", "times": 1}})
        with pytest.raises(ValueError, match="could not convert"):
            await asked(served.address, "1")


@pytest.mark.parametrize(
    ("bays", "wanted"),
    [
        ([{"place": "x"}], "place 'x' seen, wanted one like '1' on a voltmeter"),
        ([{"place": "1"}, {"place": "1"}], "the same place seen twice"),
        ([{"cell": "li_x/pp"}], "li_x"),
    ],
)
async def test_what_cannot_be_served_is_told(bays: list[dict[str, str]], wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        async with Voltmeter.serve(speed=1.0, bays=bays):
            pass
