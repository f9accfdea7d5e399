"""Notices: what is worth hearing is told once, to who wants it, and never as a storm."""

import asyncio
import base64
import dataclasses
import hmac
import json
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from daemon.errors import ServiceError, UnavailableError
from daemon.glance import Values
from daemon.notices.delivery import deliver
from daemon.notices.happening import Happening, Kind
from daemon.notices.line import Notice
from daemon.notices.notice_file import Recipient, recipients
from daemon.notices.sender import Sender
from daemon.notices.watchman import Watchman
from daemon.web.seen import CoreState, Seen
from daemon.web.telling import kept_up
from protocols.errors import ProtocolError
from tests.web.certificates import NEEDS_OPENSSL, made_in
from tests.web.cores import IDLE, as_seen
from tests.web.service import PATIENCE, until
from tests.web.sinks import mail_server, web_server

NOW = 1_800_000_000.0


def seen(
    run: str | None = "lab-1",
    latch: str | None = None,
    state: str = "running",
    read_at: float = NOW,
    last_run: str | None = "lab-1",
) -> Seen:
    """Return a channel as it was seen, with a run or after one that has finished."""
    revision = "1-0-finished" if run is None else "1-0-running"
    facts = msgspec.structs.replace(
        IDLE,
        channel="smu1",
        cell="Li||Cu",
        state=state,
        latch=latch,
        run=run,
        last_run=last_run,
        revision=revision,
    )
    return as_seen(facts, Values(read_at=read_at))


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


def trips(number: int) -> list[Happening]:
    """Return so many trips, one a second."""
    return [msgspec.structs.replace(TRIP, at=NOW + i, channel=f"smu{i}") for i in range(number)]


class Told(list[Notice]):
    """What was delivered; a server that is away at first takes nothing."""

    def __init__(self, away: int = 0) -> None:
        self.away = away

    def deliver(self, recipient: Recipient, notice: Notice, page: str) -> None:
        if self.away:
            self.away -= 1
            raise UnavailableError("nobody there")
        self.append(notice)


async def sent(sender: Sender, told: Told, number: int, kept: Path) -> None:
    """Let it send until so many notices are delivered, and kept no longer among what is still to be told."""

    def over() -> bool:
        if len(told) < number or not kept.exists():
            return False
        waiting = [each for line in json.loads(kept.read_text()).values() for each in line]
        return all(
            msgspec.to_builtins(each) not in waiting
            for notice in told
            for each in (notice.happening, *notice.also)
        )

    running = asyncio.create_task(sender.run())
    try:
        await asyncio.to_thread(until, over)
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_of_a_storm_nothing_is_left_out_and_who_is_away_is_asked_again(
    tmp_path: Path,
) -> None:
    told, now, kept = Told(away=7), 0.0, tmp_path / "n.json"
    sender = Sender([EMAIL], "http://lab/", kept, told.deliver, (0.0,), lambda: now)
    storm = trips(64)
    for each in storm:
        sender.hear(each)
    await sent(sender, told, 10, kept)
    # nine by themselves; the tenth of ten minutes carries all the others
    assert [each.happening for each in told] == [*storm[:9], storm[63]]
    assert told[-1].also == storm[9:63]
    late = trips(70)[64:]
    for each in late:
        sender.hear(each)
    now = 601.0
    await sent(sender, told, 11, kept)
    assert told[10].happening in late


async def test_ends_of_runs_take_no_place_from_a_trip(tmp_path: Path) -> None:
    told, both = Told(), dataclasses.replace(EMAIL, kinds=[Kind.TRIP, Kind.END])
    kept = tmp_path / "n.json"
    sender = Sender([both], "http://lab/", kept, told.deliver, (0.0,), lambda: 0.0)
    for each in trips(40):
        sender.hear(msgspec.structs.replace(each, kind=Kind.END))
    sender.hear(TRIP)
    await sent(sender, told, 11, kept)
    assert told[0].happening == TRIP, "and it comes first"


async def test_what_was_not_delivered_is_told_after_a_restart(tmp_path: Path) -> None:
    fresh = msgspec.structs.replace(TRIP, at=time.time())
    kept = tmp_path / "n.json"
    before = Sender([EMAIL], "http://lab/", kept)
    before.hear(fresh)
    before.keep()
    told = Told()
    after = Sender([EMAIL], "http://lab/", kept, told.deliver, (0.0,))
    await sent(after, told, 1, kept)
    assert [each.happening for each in told] == [fresh]
    assert list(json.loads(kept.read_text()).values()) == [[]]


def test_a_letter_and_a_webhook_say_what_happened_and_where(tmp_path: Path) -> None:
    with mail_server() as mail, web_server() as (hook, posts):
        file = tmp_path / "notices.yaml"
        file.write_text(
            "notices:\n"
            "  - email: anna@lab.example\n    from: galvanod@lab.example\n"
            f"    server: smtp://127.0.0.1:{mail.port}\n"
            f"  - webhook: http://127.0.0.1:{hook}/x\n    on: [trip, end]\n    channels: [smu1]\n"
        )
        hostile = msgspec.structs.replace(TRIP, cell="Li\r\nBcc: all@lab.example")
        for recipient in recipients(file):
            deliver(recipient, Notice(hostile, trips(3)), "https://lab.example/")
    [letter] = mail.taken
    assert letter["bcc"] is None
    assert letter["subject"] == "galvanod trip: smu1, Li Bcc: all@lab.example and 3 more"
    assert "https://lab.example/#/channel/lab/smu1" in letter.get_content()
    assert "galvanod trip: smu2, Li||Cu: voltage 1.1 V" in letter.get_content()
    post = posts[0].json()
    assert (post["kind"], post["run"], len(post["also"])) == ("trip", "lab-1", 3)
    assert letter["message-id"] == f"<{post['id']}@lab.example>", "a repeat is known as one"


def test_a_webhook_can_tell_that_it_is_we(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "webhook").write_text("whsec_c2VjcmV0\n")  # base64 of "secret"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with web_server() as (port, posts):
        deliver(hook(f"http://127.0.0.1:{port}/"), Notice(TRIP), "http://lab/")
    [post] = posts
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    digest = hmac.digest(b"secret", signed, "sha256")
    assert post.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def hook(url: str) -> Recipient:
    """Return a webhook."""
    return Recipient(None, None, None, url, [Kind.TRIP], [])


@pytest.mark.parametrize(("status", "away"), [(500, True), (429, True), (404, False), (302, False)])
def test_a_notice_goes_where_it_was_to_go_and_nowhere_else(status: int, away: bool) -> None:
    with (
        web_server() as (other, elsewhere),
        web_server(status, location=f"http://127.0.0.1:{other}/") as sink,
    ):
        with pytest.raises(ServiceError) as refused:
            deliver(hook(f"http://127.0.0.1:{sink[0]}/secret"), Notice(TRIP), "http://lab/")
        assert elsewhere == []
    assert isinstance(refused.value, UnavailableError) == away
    assert "secret" not in str(refused.value)


@NEEDS_OPENSSL
def test_a_password_is_sent_encrypted_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = made_in(tmp_path)
    (tmp_path / "smtp").write_text("galvanod:pass word\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    with mail_server(certificate) as mail:
        to = dataclasses.replace(EMAIL, server=f"smtp://localhost:{mail.port}")
        deliver(to, Notice(TRIP), "http://lab/")
        assert mail.logins == [(True, "\0galvanod\0pass word")]
        nobody = dataclasses.replace(to, email="nobody@lab.example")
        with pytest.raises(ServiceError, match="no such person"):
            deliver(nobody, Notice(TRIP), "http://lab/")
        monkeypatch.setenv("SSL_CERT_FILE", "none.pem")
        with pytest.raises(UnavailableError, match="certificate verify failed"):
            deliver(to, Notice(TRIP), "http://lab/")
        assert len(mail.taken) == 1
    with mail_server() as mail:
        elsewhere = dataclasses.replace(EMAIL, server=f"smtp://127.1:{mail.port}")  # no name of this machine
        with pytest.raises(ServiceError, match="not sent in the clear"):
            deliver(elsewhere, Notice(TRIP), "http://lab/")
        assert mail.logins == []


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


async def test_a_part_that_breaks_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    begun, runs = 0, asyncio.Event()

    async def breaks_twice() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise RuntimeError("nobody foresaw this")
        runs.set()
        await asyncio.get_running_loop().create_future()

    running = asyncio.create_task(kept_up(breaks_twice, "it", 0.0))
    async with asyncio.timeout(PATIENCE):
        await runs.wait()
    running.cancel()
    await asyncio.wait({running})
    assert caplog.text.count("it broke, and begins again") == 2
