"""Cores are killed; the instrument, the cell and the record tell whether anything was lost."""

import contextlib
import json
import signal
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.client import AnswerError
from daemon.delivery.messages import RunEnded, RunStarted
from daemon.delivery.spool import Spool
from daemon.errors import ConfigurationError, UnavailableError
from daemon.requests import Channels, Resume, Stop, Submit
from daemon.running.journal_file import JournalFile
from daemon.running.order import ResumePolicy
from tests.daemon.survival import CELL, Survival, survival

CHARGE_AND_DISCHARGE = """protocol: there and back
record: every 1 s
steps:
  - charge: 1 mA
    until: time >= 60 s
  - discharge: 1 mA
    until: time >= 20 s
"""
# 1 mA × 60 s = 60 mC in, 20 mC out; 1000 F in the cell: 60 mC are 60 µV.

pytestmark = pytest.mark.timeout(300)


def order(policy: str = "confirm", protocol: str = CHARGE_AND_DISCHARGE, cell: str = "one") -> Submit:
    source = CELL.format(name=cell)
    return Submit(protocol, "p", source, "c", "a1", {}, ResumePolicy(policy))


def assert_nothing_lost(bench: Survival) -> None:
    """Numbers without gaps or repeats, one start, one stop, counters that fit, intents before deeds."""
    numbers = [number for number, _ in bench.rows()]
    items = bench.items()
    ended = [item for item in items if isinstance(item, RunEnded)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert sum(isinstance(item, RunStarted) for item in items) == 1
    assert [item.readings for item in ended] == [len(numbers)]
    times = [row.time for _, row in bench.rows()]
    assert times == sorted(times)


async def test_a_run_survives_being_killed_at_every_kind_of_point(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start("apply acted", 2)  # the charge flows, and nobody has noted it
        with contextlib.suppress(UnavailableError):  # it may die before or after it has answered
            await bench.ask(order())
        await bench.killed()
        for point in ("off begun", "off acted"):  # while it recovers
            await bench.start(point, 1)
            await bench.killed()
        for point, count in (("prepare intended", 1), ("apply intended", 1), ("apply done", 2)):
            await bench.start(point, count)
            await bench.run_is("interrupted")
            await bench.ask(Resume("1"))
            await bench.killed()
        await bench.start("readings kept", 20)
        await bench.run_is("interrupted")
        await bench.ask(Resume("1"))
        await bench.killed()  # anywhere
        await bench.start()
        await bench.run_is("interrupted")
        await bench.ask(Resume("1"))
        await bench.run_is("finished")
        assert await bench.end(signal.SIGTERM) == 0
        assert_nothing_lost(bench)
        charge, discharge = bench.steps()
        assert charge.duration == pytest.approx(60.0, abs=0.2)
        assert charge.capacity == pytest.approx(60e-3, rel=0.01)
        assert discharge.capacity == pytest.approx(-20e-3, rel=0.02)
        told = sum(note.detail["uncounted_coulombs"] for note in bench.notes("interrupted"))
        uncounted = bench.cell.charge - (charge.capacity + discharge.capacity)
        assert 0.0 < uncounted <= told
        assert_every_deed_was_intended(bench)


def assert_every_deed_was_intended(bench: Survival) -> None:
    """Each closing of the output that the instrument heard follows an intent of its own."""
    closings = [moment for moment, text in bench.heard if ":OUTP ON" in text]
    intents = [
        intended for kind, _, _, intended in bench.actions() if kind == "apply" and intended is not None
    ]
    assert closings
    for before, moment in pairwise([0.0, *closings]):
        assert any(before < intended <= moment for intended in intents)
    phases = {phase for _, _, phase, _ in bench.actions()}
    assert phases == {"done", "lost"}


async def test_auto_goes_on_by_itself_and_never_ends(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start("readings kept", 10)
        await bench.ask(order("auto"))
        await bench.killed()
        await bench.start()
        await bench.run_is("finished")
        await bench.end(signal.SIGTERM)
        assert_nothing_lost(bench)
        assert [note.text for note in bench.notes("resumed")] == ["resumed by its policy"]
        gap = bench.notes("interrupted")[0].detail
        # 1 mA, until the dead-man of 5 s, counted from two seconds after the last commit, of 50 s each
        assert gap["uncounted_coulombs"] == pytest.approx(1e-3 * min(gap["seconds"], 105.0))


async def test_never_ends_the_run_with_its_circuit_open(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start("readings kept", 5)
        await bench.ask(order("never"))
        await bench.killed()
        await bench.start()
        await bench.run_has_ended()
        facts = (await bench.ask(Channels()))[0]
        await bench.end(signal.SIGTERM)
        assert facts["cell"] == "one"  # a channel never forgets its cell
        assert_nothing_lost(bench)
        ended = [item for item in bench.items() if isinstance(item, RunEnded)]
        assert ended[0].state == "interrupted"


async def test_a_stopped_service_leaves_a_stepped_run_open_and_resumable(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start("readings kept", 10, "SIGTERM")
        await bench.ask(order())
        assert await bench.ended() == 0
        outputs = [text for _, text in bench.heard if ":OUTP" in text]
        assert ":OUTP OFF" in outputs[-1]
        assert [item for item in bench.items() if isinstance(item, RunEnded)] == []
        passed = bench.cell.charge
        await bench.start()
        await bench.waits_for_a_person()
        assert bench.cell.charge == pytest.approx(passed, abs=1e-4)
        with pytest.raises(AnswerError, match="busy"):
            await bench.ask(order(cell="another"))
        await bench.ask(Stop("1", "enough"))
        await bench.end(signal.SIGTERM)
        assert_nothing_lost(bench)
        ended = [item for item in bench.items() if isinstance(item, RunEnded)]
        assert (ended[0].state, ended[0].reason) == ("stopped", "enough")


FOR_HOURS = "protocol: long\nrecord: every 1 s\nsteps:\n  - charge: 1 mA\n    until: time >= 2 h\n"


async def test_a_program_goes_on_without_a_core_and_is_found_again(tmp_path: Path) -> None:
    async with survival(tmp_path, "emstat4") as bench:
        await bench.start("readings kept", 10)
        await bench.ask(order(protocol=FOR_HOURS))
        await bench.killed()
        await bench.cell_has_taken(40e-3)
        await bench.start()
        await bench.run_is("running")
        await bench.has_read_on()
        await bench.ask(Stop("1", "enough"))
        await bench.run_is("stopped")
        await bench.end(signal.SIGTERM)
        assert_nothing_lost(bench)
        [charge] = bench.steps()
        # the instrument counted on while nobody listened: nothing is uncounted, only unheard
        assert charge.capacity > 40e-3
        assert bench.cell.charge == pytest.approx(charge.capacity, abs=2e-3)  # two readings
        assert bench.notes("interrupted") == []
        [unheard] = (note.detail["seconds"] for note in bench.notes("reattached"))
        times = [row.time for _, row in bench.rows()]
        assert max(b - a for a, b in pairwise(times)) < unheard + 3.0
        starts = [json.loads(arguments)["tag"] for kind, arguments, *_ in bench.actions() if kind == "start"]
        assert starts == ["lab-1/0", "lab-1/1"]


async def test_a_program_that_ended_unheard_is_an_interruption(tmp_path: Path) -> None:
    async with survival(tmp_path, "emstat4") as bench:
        await bench.start("readings kept", 5)
        await bench.ask(order())
        await bench.killed()
        await bench.cell_has_taken(60e-3)  # the step is over
        await bench.start()
        await bench.waits_for_a_person()
        await bench.end(signal.SIGTERM)
        gap = bench.notes("interrupted")[0].detail
        assert gap["uncounted_coulombs"] >= 45e-3  # what passed unheard lies within the bound


async def test_power_is_cut_to_both_and_the_core_comes_back_first(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start("readings kept", 10)
        await bench.ask(order())
        await bench.killed()
        bench.faults.inject("power for 1000 h")
        cut = len(bench.heard)
        await bench.start()
        run = await bench.run_is("interrupted")
        assert "the circuit is not verified open" in run["reason"]  # nobody is there to ask
        bench.faults.clear()  # power comes back, every setting as from the box
        await bench.waits_for_a_person()
        assert ":OUTP ON" not in "".join(text for _, text in bench.heard[cut:])
        await bench.ask(Resume("1"))
        await bench.run_is("finished")
        await bench.end(signal.SIGTERM)
        said = "".join(text for _, text in bench.heard[cut:])
        # high impedance when off, four wires and the protection are set anew before the output closes
        for setting in (":OUTP:CURR:SMOD HIMP", ":SENS:VOLT:RSEN ON", ":SOUR:VOLT:PROT "):
            assert -1 < said.find(setting) < said.find(":OUTP ON")
        assert_nothing_lost(bench)


async def test_another_version_takes_a_run_over_and_an_earlier_one_is_refused(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start("readings kept", 10)
        await bench.ask(order())
        await bench.killed()
        with sqlite3.connect(bench.places.spool) as spool:  # as 0.1.0 left it
            spool.executescript("DROP TABLE pending; DROP TABLE kept; PRAGMA user_version = 0")
        spool.close()
        await bench.start()
        await bench.run_is("interrupted")
        await bench.ask(Resume("1"))
        await bench.run_is("finished")
        await bench.end(signal.SIGTERM)
        assert_nothing_lost(bench)
        for path in (bench.places.journal, bench.places.spool):
            with sqlite3.connect(path) as file:
                [[ours]] = file.execute("PRAGMA user_version").fetchall()
                file.execute("PRAGMA user_version = 99")
            with pytest.raises(ConfigurationError, match=r"99, wanted .* a later galvanod wrote it"):
                (JournalFile if path is bench.places.journal else Spool).open(path)
            file.execute(f"PRAGMA user_version = {ours}")
            file.close()
