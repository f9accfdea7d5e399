"""YAML read strictly: text becomes nodes with their places, and nothing is ever guessed from it.

Only the C scanner's events are used. YAML's own ideas of what a scalar is (`no`, `4:20`, `010`,
`.inf`) never apply: every scalar stays text for our own grammar to read. What could make a small
file large or a value invisible is refused: anchors, aliases, tags, duplicate keys, deep nesting.
"""

import re
import typing
from pathlib import Path

import yaml
from yaml import events

from protocols.errors import Place, Problem, ProtocolError
from protocols.nodes import ListNode, MappingNode, Node, Scalar, shown

MOST_BYTES = 64 * 1024
MOST_EVENTS = 8_000
MOST_DEPTH = 16
LONGEST_SCALAR = 4096
LONGEST_NAME = 80  # of an anchor or a tag, in a message

# Everything but tab, line ends and printable characters; NEL, LS and PS would upset the line count,
# and what turns the direction of writing would show an eye another file than the one that is run.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def load(path: Path) -> Node:
    """Read a file; `ProtocolError` where it cannot be read or is not strict YAML."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        problem = Problem(Place(str(path), 1, 1), f"{error.strerror or error}", "a readable file")
        raise ProtocolError(problem) from error
    return parse(content, path.name)


def parse(content: str | bytes, file: str) -> Node:
    """Return the one document in `content` as a tree; raise `ProtocolError` with line and column."""
    text = _decoded(content, file)
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        seen = f"the character U+{ord(forbidden[0]):04X}"
        raise ProtocolError(Problem(_place_in(text, forbidden.start(), file), seen, "printable text"))
    return _Reader(text, file).document()


def _decoded(content: str | bytes, file: str) -> str:
    try:
        data = content.encode() if isinstance(content, str) else content
        if len(data) > MOST_BYTES:
            seen = f"more than {MOST_BYTES} bytes"
            raise ProtocolError(Problem(Place(file, 1, 1), seen, f"at most {MOST_BYTES} bytes"))
        return data.decode().removeprefix("\ufeff")
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else 0
        before = content[:start] if isinstance(content, str) else content[:start].decode()
        place = _place_in(before, len(before), file)
        raise ProtocolError(Problem(place, "bytes that are not UTF-8", "UTF-8 text")) from error


def _place_in(text: str, offset: int, file: str) -> Place:
    before = text[:offset]
    return Place(file, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


class _Mark(typing.Protocol):
    """Where the scanner is, from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class _Reader:
    """Builds the tree from the scanner's events, and stops at the first it does not like."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._mark: _Mark | None = None
        self._events = iter(self._scanned(text))

    def document(self) -> Node:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), events.StreamEndEvent):
            raise self._refused("an empty file", "a YAML mapping")
        node = self._node(self._next())
        next(self._events)  # the end of the document
        if not isinstance(self._next(), events.StreamEndEvent):
            raise self._refused("a second document", "one document per file")
        return node

    def _scanned(self, text: str) -> list[yaml.Event]:
        """Return all events, unless there are too many, or indirection or deep nesting among them."""
        seen: list[yaml.Event] = []
        depth = 0
        try:
            for event in yaml.parse(text, Loader=yaml.CLoader):
                self._mark = event.start_mark
                if isinstance(event, events.CollectionStartEvent):
                    depth += 1
                elif isinstance(event, events.CollectionEndEvent):
                    depth -= 1
                if depth > MOST_DEPTH:
                    raise self._refused(f"nesting deeper than {MOST_DEPTH}", "a flatter file")
                if isinstance(event, events.NodeEvent):
                    self._refuse_indirection(event)
                seen.append(event)
                if len(seen) > MOST_EVENTS:
                    raise self._refused(f"more than {MOST_EVENTS} pieces", "a shorter file")
        except yaml.MarkedYAMLError as error:
            self._mark = error.problem_mark or self._mark
            raise self._refused(f"{error.problem}", "well-formed YAML") from error
        except yaml.YAMLError as error:
            raise self._refused(f"{error}", "well-formed YAML") from error
        return seen

    def _refuse_indirection(self, event: events.NodeEvent) -> None:
        if isinstance(event, events.AliasEvent):
            raise self._refused(f"the alias *{event.anchor}", "the value itself")
        if event.anchor is not None:
            raise self._refused(f"the anchor &{event.anchor}"[:LONGEST_NAME], "no anchors")
        tag = event.tag if isinstance(event, events.ScalarEvent | events.CollectionStartEvent) else None
        if tag is not None:
            raise self._refused(f"the tag {tag}"[:LONGEST_NAME], "no tags")

    def _next(self) -> yaml.Event:
        event = next(self._events)
        self._mark = event.start_mark
        return event

    def _node(self, event: yaml.Event) -> Node:
        match event:
            case events.SequenceStartEvent():
                return self._list()
            case events.MappingStartEvent():
                return self._mapping()
            case events.ScalarEvent():
                return self._scalar(event)
        raise self._refused(f"{event}", "a value")

    def _list(self) -> ListNode:
        place, items = self._place(), []
        while not isinstance(event := self._next(), events.SequenceEndEvent):
            items.append(self._node(event))
        return ListNode(tuple(items), place)

    def _mapping(self) -> MappingNode:
        place = self._place()
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := self._next(), events.MappingEndEvent):
            if not isinstance(event, events.ScalarEvent):
                raise self._refused("a list or mapping as a key", "a word")
            key = self._scalar(event)
            if key.text in entries:
                first = entries[key.text][0].place.line
                raise self._refused(f"{shown(key)} a second time", f"each key once (first in line {first})")
            entries[key.text] = (key, self._node(self._next()))
        return MappingNode(tuple(entries.values()), place)

    def _scalar(self, event: events.ScalarEvent) -> Scalar:
        if len(event.value) > LONGEST_SCALAR:
            raise self._refused(f"a text of {len(event.value)} characters", f"at most {LONGEST_SCALAR}")
        start = self._place()
        quotes = 1 if event.style in ("'", '"') else 0
        exact = _is_verbatim(event, quotes)
        return Scalar(event.value, Place(start.file, start.line, start.column + quotes * exact), exact)

    def _place(self) -> Place:
        if self._mark is None:
            return Place(self._file, 1, 1)
        return Place(self._file, self._mark.line + 1, self._mark.column + 1)

    def _refused(self, seen: str, wanted: str) -> ProtocolError:
        return ProtocolError(Problem(self._place(), seen, wanted))


def _is_verbatim(event: events.ScalarEvent, quotes: int) -> bool:
    """Whether the value stands in the file as it is, in one line."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None or start.line != end.line:
        return False
    return end.column - start.column - 2 * quotes == len(event.value)
