"""A conversation with a Neware BTS Client: one XML request, one XML answer ("BTSAPI" v1.19, TCP port 502).

Facts: section 4 of the protocol's description, and answers captured from a BTS 8.0 (aurora-neware's tests).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from drivers.errors import LinkError, RefusedError
from drivers.links import Link, LinkOptions

LINK = LinkOptions(deadline=30.0, terminator="#\r\n", answer_terminator="</bts>", longest=4 << 20)
"""A client answers within 30 s. What follows the end of an answer differs between versions."""

MISSPELT = {"download": "donwload_resp", "downloadlog": "donwloadlog_resp"}
"""Answers that do not call themselves like their command; a client that mends this is understood too."""

MOST_RECORDS = 1000
"""Of one download."""

_HEAD = '<?xml version="1.0" encoding="UTF-8" ?><bts version="1.0">'
_GREETING = "<username>admin</username><password>neware</password><type>bfgs</type>"
_WANTED = ("seqid", "stepid", "cycleid", "steptype", "testtime", "volt", "curr", "cap", "eng")
_FIRST_ROW = re.compile(r"<data ([^>]*?)\s*/>")
_LIST = re.compile(r'<list count\s*=\s*"(\d+)"')


class Place(NamedTuple):
    """Where a channel is, as requests have to say it."""

    ip: str
    devtype: str
    devid: str
    subdevid: str
    chlid: str

    def __str__(self) -> str:
        return f"{self.devid}-{self.subdevid}-{self.chlid}"

    @property
    def attributes(self) -> str:
        return " ".join(f"{name}={quoteattr(value)}" for name, value in self._asdict().items())

    @property
    def device_attributes(self) -> str:
        """The same for downloads, which come from the client's own server and name none."""
        return " ".join(f"{name}={quoteattr(value)}" for name, value in list(self._asdict().items())[1:])


class Row(NamedTuple):
    """One downloaded record: seconds since its step began, volts, amperes, ampere-hours, watt-hours."""

    seqid: int
    stepid: int
    cycleid: int
    steptype: str
    seconds: float
    volts: float
    amperes: float
    ampere_hours: float
    watt_hours: float


class Page(NamedTuple):
    """What a download brought, and of which test."""

    test: int
    rows: Sequence[Row]


class Session:
    """Greets the client before the first request, and again after the connection was lost."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._greeted = False

    @property
    def address(self) -> str:
        return self._link.address

    async def ask(self, command: str, body: str = "") -> Element:
        """Return the answer's `bts` element. Raises `LinkError` for none, or for one to something else."""
        return self._parsed(command, await self._text(command, body))

    async def page(self, place: Place, first: int, count: int) -> Page:
        """Return up to `count` records of the present test, from number `first` on."""
        body = (
            f'<download {place.device_attributes} auxid="0" testid="0" startpos="{first}" '
            f'count="{min(count, MOST_RECORDS)}"/>'
        )
        text = await self._text("download", body)
        head, _, _ = text.partition("<list")
        self._check("download", _between(head, "<cmd>", "</cmd>"))
        test = re.search(r'testid\s*=\s*"(\d+)"', head)
        declared = _LIST.search(text)
        if test is None or declared is None:
            raise LinkError(f"{self.address}: download: {text[:200]!r} has no testid or no list")
        rows = list(_rows(text, int(declared[1]), self.address))
        return Page(int(test[1]), rows)

    async def _text(self, command: str, body: str) -> str:
        if not self._greeted:
            await self._greet()
        return await self._said(command, body)

    async def _greet(self) -> None:
        answer = self._parsed("connect", await self._said("connect", _GREETING))
        if answer.findtext("result") != "ok":
            raise RefusedError(
                f"{self.address}: the BTS Client refused to connect: {answer.findtext('result')!r}; "
                "is it in API mode?"
            )
        self._greeted = True

    async def _said(self, command: str, body: str) -> str:
        try:
            answer = await self._link.query(f"{_HEAD}<cmd>{command}</cmd>{body}</bts>\n\n")
        except LinkError:
            self._greeted = False
            raise
        return answer.lstrip("\r\n#\t \0") + "</bts>"

    def _parsed(self, command: str, text: str) -> Element:
        try:
            answer = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise LinkError(f"{self.address}: {command}: {text[:80]!r} is no XML: {error}") from error
        self._check(command, answer.findtext("cmd", ""))
        return answer

    def _check(self, command: str, answered: str) -> None:
        if answered not in (f"{command}_resp", MISSPELT.get(command)):
            raise LinkError(f"{self.address}: {command} was answered by {answered!r}")


def _between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0].strip()


def _rows(text: str, declared: int, address: str) -> Iterator[Row]:
    """Yield the records; the order of their attributes is the first one's, and all must be there."""
    first = _FIRST_ROW.search(text)
    if first is None:
        if declared:
            raise LinkError(f"{address}: {declared} records are said to be there, none is")
        return
    names = tuple(re.findall(r'([\w.]+)\s*=\s*"', first[1]))
    missing = [name for name in _WANTED if name not in names]
    if missing:
        raise LinkError(f"{address}: records have {', '.join(names)}; wanted {', '.join(missing)} too")
    found = _pattern(names).findall(text)
    if len(found) != declared:
        raise LinkError(f"{address}: {len(found)} of {declared} records can be read like the first")
    yield from _converted(found, [names.index(name) for name in _WANTED], address)


def _converted(found: Sequence[Sequence[str]], order: Sequence[int], address: str) -> Iterator[Row]:
    columns = list(zip(*found, strict=True))
    seqid, stepid, cycleid, steptype, *others = (columns[at] for at in order)
    try:
        seconds = [float(time) / 1000.0 for time in others[0]]
        numbers = [map(float, column) for column in others[1:]]
        yield from map(Row, map(int, seqid), map(int, stepid), map(int, cycleid), steptype, seconds, *numbers)
    except ValueError as error:
        raise LinkError(f"{address}: a record that cannot be read: {error}") from error


@lru_cache(maxsize=8)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    inside = r"\s+".join(rf'{re.escape(name)}\s*=\s*"([^"]*)"' for name in names)
    return re.compile(rf"<data\s+{inside}\s*/>")


def items(answer: Element, name: str = "list") -> Iterator[Mapping[str, str]]:
    """Yield the attributes of each element of a list, its text among them as `text`."""
    listed = answer.find(name)
    for element in () if listed is None else listed:
        yield {**element.attrib, "text": (element.text or "").strip()}
