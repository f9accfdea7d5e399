"""The ESPEC chamber: its driver over a real socket and a real terminal, and a client not our own."""

import asyncio
import importlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import ModuleType
from typing import Any, ClassVar, Literal

import pytest

from drivers.chamber import ChamberMode
from drivers.errors import LinkError, RefusedError
from drivers.espec import Espec
from drivers.links.opening import open_link
from drivers.links.transcript import TranscriptLink
from drivers.rehearsal import RehearsalClock
from simulators.cells.library import make_cell
from simulators.espec import Espec as SimulatedEspec
from simulators.faults import Faults
from simulators.server import serve


class OnSerialLine(SimulatedEspec):
    """The same at the end of a serial line."""

    wire: ClassVar[Literal["tcp", "pty"]] = "pty"


@asynccontextmanager
async def chamber(
    kind: type[SimulatedEspec] = SimulatedEspec, faults: Faults | None = None
) -> AsyncIterator[tuple[Espec, RehearsalClock]]:
    """A chamber at 23 degC, its time held."""
    async with serve(kind, cell="blocking/pp", speed=1e6, seed=1, faults=faults or Faults()) as served:
        scheme = "serial" if kind.wire == "pty" else "visa"
        link = await open_link(f"{scheme}://{served.address}", Espec.link_options)
        clock = await RehearsalClock.connect(served.rehearsal)
        try:
            yield await Espec.open(link), clock
        finally:
            await clock.aclose()
            await link.aclose()


@pytest.mark.parametrize("kind", [SimulatedEspec, OnSerialLine])
async def test_the_air_follows_the_set_point(kind: type[SimulatedEspec]) -> None:
    """From 23 degC to 53 degC at 3 K/min until 3 K away: 9 min; then exponentially with 60 s."""
    async with chamber(kind) as (espec, clock):
        assert espec.identity.maker == "ESPEC"
        assert (await espec.state()).mode is ChamberMode.OFF
        await espec.hold(53.0)
        await clock.sleep_until(await clock.now() + 540.0)
        assert (await espec.state()).temperature == pytest.approx(50.0, abs=0.1)
        await clock.sleep_until(await clock.now() + 60.0)
        state = await espec.state()
        assert state.temperature == pytest.approx(53.0 - 3.0 / 2.71828, abs=0.1)
        assert (state.set_point, state.mode, state.alarms) == (53.0, ChamberMode.CONSTANT, ())
        await espec.stop()
        assert (await espec.state()).mode is ChamberMode.OFF


@pytest.mark.parametrize(
    ("celsius", "why"),
    [(200.0, "outside the chamber's limits, -40 to 150"), (25.05, "finer"), (float("nan"), "outside")],
)
async def test_a_set_point_it_cannot_have_is_refused_and_nothing_is_sent(celsius: float, why: str) -> None:
    async with chamber() as (espec, _):
        with pytest.raises(RefusedError, match=why):
            await espec.hold(celsius)
        assert (await espec.state()).mode is ChamberMode.OFF


async def test_a_failure_is_an_alarm_and_ends_conditioning() -> None:
    faults = Faults()
    async with chamber(faults=faults) as (espec, clock):
        await espec.hold(60.0)
        faults.inject("failure")
        await clock.sleep_until(await clock.now() + 60.0)
        state = await espec.state()
        assert (state.mode, state.alarms) == (ChamberMode.OFF, ("alarm 7",))
        with pytest.raises(RefusedError, match="look for an alarm at its panel"):
            await espec.hold(25.0)


async def test_an_open_door_lets_the_warmth_out() -> None:
    faults = Faults()
    async with chamber(faults=faults) as (espec, clock):
        await espec.hold(60.0)
        await clock.sleep_until(3600.0)
        faults.inject("door for 10 min")
        await clock.sleep_until(3900.0)
        open_door = await espec.state()
        assert open_door.temperature < 30.0
        assert open_door.alarms == ("alarm 14",)
        await clock.sleep_until(7200.0)
        assert (await espec.state()).temperature == pytest.approx(60.0, abs=0.1)


async def test_a_chamber_that_follows_a_program_is_left_to_it() -> None:
    with TranscriptLink(
        """
        > TYPE?
        < T,S3,150.0
        > ROM?
        < JLA 1.0
        > TEMP?
        < 60.0,80.0,150.0,-40.0
        > TEMP?
        < 60.0,80.0,150.0,-40.0
        > MODE?
        < RUN
        """
    ) as link:
        espec = await Espec.open(link)
        with pytest.raises(RefusedError, match="follows a program"):
            await espec.hold(25.0)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("NA:PROTECT ON", RefusedError),
        ("NA:WHAT", RefusedError),
        ("", LinkError),
        ("T,S3,hot", LinkError),
        ("T,T,T,S3,150.0", LinkError),
    ],
)
async def test_who_answers_otherwise_is_no_such_chamber(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await Espec.open(TranscriptLink(f"> TYPE?\r\n< {answer}"))


class Socket:
    """What the library's transport is in Python 3: one line out, one line in."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=60.0)
        self._file = self._socket.makefile("rb")

    def interact(self, message: str) -> str:
        self._socket.sendall(message.encode("ascii") + b"\r\n")
        answer = self._file.readline().decode("ascii")
        assert answer.endswith("\r\n")
        if answer.startswith("NA:"):
            raise ValueError(answer.strip())
        return answer[:-2]

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def library() -> Iterator[Any]:
    """The maker's own library, whose import of its transport is Python 2."""
    pytest.importorskip(
        "chamberconnectlibrary", reason="chamberconnectlibrary, a third-party client, is not installed"
    )
    transport = ModuleType("especinteract")
    transport.EspecSerial = transport.EspecTCP = None  # type: ignore[attr-defined]
    sys.modules["especinteract"] = transport
    try:
        yield importlib.import_module("chamberconnectlibrary.p300")
    finally:
        del sys.modules["especinteract"]


async def test_the_makers_own_library_works_it() -> None:
    def talk(p300: Any, port: int) -> dict[str, Any]:
        client = p300.P300.__new__(p300.P300)
        client.ctlr, client.ramprgms = Socket("127.0.0.1", port), 40
        client.reflookup = {"REF9": {"mode": "auto", "setpoint": 0}}
        try:
            before = client.read_mode(detail=True)
            client.write_temp(setpoint=45.0, max=85.0, min=-20.0)
            client.write_set("auto")
            client.write_mode_constant()
            with pytest.raises(ValueError, match="CONT NOT READY-1"):
                client.read_humi()
            with pytest.raises(ValueError, match="DATA OUT OF RANGE"):
                client.write_temp(setpoint=99.0)
            client.write_relay([True, None, True] + [None] * 9)
            client.write_keyprotect(True)
            return {
                "before": before,
                "type": client.read_type(),
                "temp": client.read_temp(),
                "constant": client.read_constant_temp(),
                "mon": client.read_mon(),
                "alarm": client.read_alarm(),
                "set": client.read_set(),
                "relay": client.read_relay(),
                "locked": client.read_keyprotect(),
                "date": client.read_date()["year"],
                "srq": client.read_srq()["alarm"],
                "heater": client.read_htr()["dry"],
            }
        finally:
            client.close()

    async with serve(SimulatedEspec, cell=make_cell("blocking/pp", 1), speed=1.0, seed=1) as served:
        with library() as p300:
            said = await asyncio.to_thread(talk, p300, int(served.address.split("::")[2]))
    assert said["before"] == "STANDBY"
    assert said["type"] == {"drybulb": "T", "controller": "S3", "tempmax": 150.0}
    assert said["temp"] == {
        "processvalue": pytest.approx(23.0, abs=0.5),
        "setpoint": 45.0,
        "enable": True,
        "range": {"max": 85.0, "min": -20.0},
    }
    assert said["constant"] == {"setpoint": 45.0, "enable": True}
    assert (said["mon"]["mode"], said["mon"]["alarms"], said["alarm"]) == ("CONSTANT", 0, [])
    assert said["set"] == {"mode": "auto", "setpoint": 0}
    assert said["relay"] == [True, False, True] + [False] * 9
    assert (said["locked"], said["date"], said["srq"], said["heater"]) == (True, 2026, False, 100.0)
