"""Notices: what is worth hearing is told once, to who wants it, and never as a storm."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.errors import UnavailableError
from daemon.glance import Facts, Values
from daemon.notices.delivery import deliver
from daemon.notices.happening import Happening, Kind
from daemon.notices.notice_file import Recipient, recipients
from daemon.notices.sender import Sender
from daemon.notices.watchman import Watchman
from daemon.web.seen import CoreState, Seen
from protocols.errors import ProtocolError
from tests.web.sinks import mail_server, web_server

NOW = 1_800_000_000.0


def seen(
    run: str | None = "lab-1",
    latch: str | None = None,
    state: str = "running",
    read_at: float = NOW,
    last_run: str | None = "lab-1",
) -> Seen:
    """Return a channel as it was seen."""
    facts = Facts(
        channel="smu1",
        driver="keithley2450",
        simulated=True,
        state=state,
        trouble=None,
        latch=latch,
        run=run,
        last_run=last_run,
        cell="Li||Cu",
        protocol="rest",
        started=None,
        path=None,
        verb=None,
        setting=None,
        revision="1-0-finished" if run is None else "1-0-running",
        queued=0,
        patience=5.0,
    )
    return Seen("lab", facts, Values(read_at=read_at))


UP = [CoreState("lab")]


class Heard(list[Happening]):
    """What was told."""

    @property
    def kinds(self) -> Sequence[Kind]:
        return [each.kind for each in self]


def test_an_end_a_trip_and_a_stall_are_each_told_once(tmp_path: Path) -> None:
    heard = Heard()
    watchman = Watchman(tmp_path / "seen.json", heard.append)
    for now in (NOW, NOW + 1):
        watchman.look([seen()], UP, now)
    for now in (NOW + 61, NOW + 62):
        watchman.look([seen()], UP, now)
    watchman.look([seen(read_at=NOW + 70)], UP, NOW + 70)
    for _ in range(2):
        watchman.look([seen(None, state="idle")], UP, NOW + 71)
    for _ in range(2):
        watchman.look([seen(None, "voltage 1.1 V", "idle")], UP, NOW + 72)
    assert heard.kinds == [Kind.STALL, Kind.BACK, Kind.END, Kind.TRIP]
    assert heard[2].text == "run lab-1 on Li||Cu is finished"


def test_a_run_that_begins_and_ends_between_two_looks_is_told(tmp_path: Path) -> None:
    heard = Heard()
    watchman = Watchman(tmp_path / "seen.json", heard.append)
    for now, last in ((NOW, None), (NOW + 3, "lab-7"), (NOW + 6, "lab-7")):
        watchman.look([seen(None, state="idle", last_run=last)], UP, now)
    assert [(each.kind, each.run) for each in heard] == [(Kind.END, "lab-7")]


def test_what_happened_while_nobody_looked_is_told_afterwards(tmp_path: Path) -> None:
    heard = Heard()
    Watchman(tmp_path / "seen.json", heard.append).look([seen()], UP, NOW)
    Watchman(tmp_path / "seen.json", heard.append).look([seen(None, "too low", "idle")], UP, NOW + 3600)
    assert heard.kinds == [Kind.TRIP]
    assert heard[0].run == "lab-1"


def test_a_core_that_does_not_answer_is_a_stall_of_its_own_and_ends_no_run(tmp_path: Path) -> None:
    heard = Heard()
    watchman = Watchman(tmp_path / "seen.json", heard.append)
    watchman.look([seen()], UP, NOW)
    for now in (NOW + 1, NOW + 40, NOW + 62, NOW + 90):
        watchman.look([], [CoreState("lab", "is not there")], now)
    watchman.look([seen(read_at=NOW + 100)], UP, NOW + 100)
    assert heard.kinds == [Kind.STALL, Kind.BACK]


EMAIL = Recipient("anna@lab.example", "galvanod@lab.example", "smtp://127.0.0.1:1", None, [Kind.TRIP], [])
TRIP = Happening(Kind.TRIP, NOW, "lab", "smu1", "lab-1", "Li||Cu", "voltage 1.1 V is outside 1.2 to 4.5")


async def test_a_storm_is_told_as_one_and_a_server_that_is_away_is_tried_again() -> None:
    tried: list[int] = []

    def away_at_first(recipient: Recipient, happening: Happening, withheld: int, page: str) -> None:
        tried.append(withheld)
        if len(tried) == 1:
            raise UnavailableError("nobody there")

    now = 0.0
    sender = Sender([EMAIL], "http://lab/", away_at_first, (0.0, 0.0), lambda: now)
    for _ in range(25):
        sender.hear(TRIP)
    now = 601.0
    sender.hear(TRIP)
    running = asyncio.create_task(sender.run())
    while len(tried) < 12:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    # ten at once, the first of them twice; one more once ten minutes are over: fifteen were withheld
    assert (len(tried), sum(tried)) == (12, 30)  # the first was told twice that fifteen were withheld


def test_a_letter_and_a_webhook_say_what_happened_and_where(tmp_path: Path) -> None:
    with mail_server() as (port, letters), web_server() as (hook, posts):
        file = tmp_path / "notices.yaml"
        file.write_text(
            "notices:\n"
            f"  - email: anna@lab.example\n    from: galvanod@lab.example\n    server: smtp://127.0.0.1:{port}\n"
            f"  - webhook: http://127.0.0.1:{hook}/x\n    on: [trip, end]\n    channels: [smu1]\n"
        )
        hostile = Happening(Kind.TRIP, NOW, "lab", "smu1", "lab-1", "Li\r\nBcc: all@lab.example", "too low")
        for recipient in recipients(file):
            deliver(recipient, hostile, 3, "https://lab.example/")
    [letter] = letters
    assert letter["bcc"] is None
    assert letter["subject"] == "galvanod trip: smu1, Li Bcc: all@lab.example"
    assert "https://lab.example/#/channel/lab/smu1" in letter.get_content()
    assert "3 more notices were not sent" in letter.get_content()
    [post] = posts
    assert (post["kind"], post["run"], post["withheld"]) == ("trip", "lab-1", 3)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("notices:\n  - email: a@b\n    from: c@d\n    server: http://x\n", 4, 13),
        ("notices:\n  - email: a@b\n    webhook: https://x\n", 2, 5),
        ("notices:\n  - webhook: https://x\n    on: [trips]\n", 3, 10),
        ("notices:\n  - webhook: https://x\n    frm: y\n", 3, 5),
    ],
)
def test_a_mistake_in_the_file_is_shown_at_its_place(
    tmp_path: Path, text: str, line: int, column: int
) -> None:
    file = tmp_path / "notices.yaml"
    file.write_text(text)
    with pytest.raises(ProtocolError) as refused:
        recipients(file)
    [problem] = refused.value.problems
    assert (problem.place.line, problem.place.column) == (line, column)


def test_happenings_are_plain_json() -> None:
    assert json.loads(json.dumps(TRIP.plain()))["kind"] == "trip"
