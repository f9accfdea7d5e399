"""The doctor on simulated instruments, and the dialogues it writes down."""

from pathlib import Path

import pytest

from daemon.channels.bench_file import BenchFile
from daemon.channels.doctor import Diagnosis, alone
from daemon.channels.replaying import replayed, written_test
from daemon.channels.safe import Circuit
from daemon.errors import UnreadableError
from drivers.links.opening import address_of
from drivers.rehearsal import RehearsalClock
from protocols.limits import Bound, Limits, Range
from simulators.emstat4 import EmStat4
from simulators.instrument import SimulatedInstrument
from simulators.keithley2450 import Keithley2450
from simulators.server import serve
from tests.drivers.test_pairs import Capacitor

WINDOW = Limits(voltage=Range(Bound(-1.0, "channel"), Bound(0.5, "channel")))


async def diagnosed(
    kind: type[SimulatedInstrument],
    window: Limits = Limits(),  # noqa: B008 - frozen
    transcript: Path | None = None,
    driver: str | None = None,
) -> tuple[Diagnosis, float]:
    """Return what the doctor finds, and the coulombs that passed meanwhile."""
    async with serve(kind, cell=Capacitor(), speed=1e5, seed=1) as served:
        clock = await RehearsalClock.connect(served.rehearsal)
        circuit = Circuit("one", driver or kind.name, address_of(served.address))
        found = await alone(circuit, window, {}, transcript)
        passed = await clock.charge()
        await clock.aclose()
    return found, passed


def texts(found: Diagnosis, wrong: bool) -> str:
    return "\n".join(finding.text for finding in found.findings if finding.wrong is wrong)


async def test_a_potentiostat_tells_who_it_is_what_it_can_do_and_the_voltage_of_its_cell() -> None:
    found, passed = await diagnosed(EmStat4)
    assert found.instrument is not None
    assert found.instrument.startswith("PalmSens EmStat4 HR serial")
    assert found.limits == "voltage -6 to 6 V, current -0.1 to 0.1 A"
    assert found.voltage == pytest.approx(1.0, abs=2e-3)
    assert (found.state, texts(found, wrong=True), passed) == ("idle", "", 0.0)


async def test_a_cell_outside_the_window_of_its_channel_is_wrong() -> None:
    found, _ = await diagnosed(EmStat4, WINDOW)
    assert "the cell stands at 1.0" in texts(found, wrong=True)


async def test_a_source_meter_is_asked_without_closing_its_output() -> None:
    found, passed = await diagnosed(Keithley2450)
    assert found.voltage is None  # its voltmeter is behind the relay
    assert "front terminals" in texts(found, wrong=False)
    assert passed == pytest.approx(0.0, abs=1e-3)  # before it is told that off is to be open, off is 0 V


async def test_somebody_else_at_the_address_is_told() -> None:
    found, _ = await diagnosed(Keithley2450, driver="keithley2400")
    assert "a KEITHLEY INSTRUMENTS 2450 answered; wanted a Keithley 2400" in texts(found, wrong=True)


async def test_a_port_that_is_not_there_comes_with_advice() -> None:
    circuit = Circuit("one", "emstat4", "serial:///dev/serial/by-id/nothing")
    found = await alone(circuit, Limits(), {}, None)
    assert "cannot open" in texts(found, wrong=True)
    assert "is it plugged in and switched on?" in texts(found, wrong=False)


async def test_what_may_still_be_running_is_not_asked_anything() -> None:
    circuit = Circuit("one", "emstat4", "serial:///dev/serial/by-id/nothing")
    found = await alone(circuit, Limits(), {"one": "lab-7"}, None)
    assert found.state == "perhaps running"
    assert "run lab-7 was not closed" in texts(found, wrong=True)


async def test_a_dialogue_is_written_down_and_becomes_a_test(tmp_path: Path) -> None:
    file = tmp_path / "dialogue.txt"
    await diagnosed(Keithley2450, transcript=file)
    text = file.read_text()
    assert text.startswith("# driver keithley2450 at visa://TCPIP0::127.0.0.1::")
    assert "> *IDN?" in text
    found = await replayed(text, None, str(file))
    assert found.identity.model == "2450"
    source = written_test(found)
    namespace: dict[str, object] = {}
    exec(compile(source, "test_dialogue.py", "exec"), namespace)
    play = namespace["test_the_recorded_instrument_is_identified_as_it_was"]
    assert callable(play)
    await play()


async def test_a_dialogue_the_driver_does_not_follow_is_told_where(tmp_path: Path) -> None:
    file = tmp_path / "dialogue.txt"
    await diagnosed(Keithley2450, transcript=file)
    changed = file.read_text().replace("> *LANG?", "> *TST?")
    with pytest.raises(UnreadableError, match=r"sent '\*LANG\?'; wanted '> \*TST\?'"):
        await replayed(changed, None, str(file))
    with pytest.raises(UnreadableError, match="names no driver"):
        await replayed("> *IDN?\n", None, "some.txt")


def test_a_bench_file_names_a_transcript() -> None:
    bench = BenchFile.parse(
        "bench: B\ninstruments:\n  one: {driver: emstat4, address: tcp://h:1, transcript: /tmp/one.txt}\n",
        "b",
    )
    assert bench.instruments["one"].transcript == Path("/tmp/one.txt")
