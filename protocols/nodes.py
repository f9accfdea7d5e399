"""A file's text as a tree in which every piece knows its place."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from protocols.errors import Place, Problem, ProtocolError

_LONGEST_SHOWN = 60
_LONGEST_COMPARED = 40  # comparing a longer word with the known ones costs more than the hint is worth
_MOST_UNKNOWN_KEYS = 5

LONGEST_NAME = 200

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that steer a screen, a log or the order of letters; escapes in quotes can write them."""

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of what nobody sees."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A piece of text; `exact` says that columns inside it can be counted from `place`."""

    text: str
    place: Place
    exact: bool = True

    def part(self, start: int, stop: int | None = None) -> "Scalar":
        """Return text[start:stop] without the blanks around it, in its own place."""
        piece = self.text[start:stop]
        start += len(piece) - len(piece.lstrip())
        return Scalar(piece.strip(), self.at(start), self.exact)

    def at(self, offset: int) -> Place:
        """Return the place of the character at `offset`; the beginning where it cannot be counted."""
        if not self.exact:
            return self.place
        return Place(self.place.file, self.place.line, self.place.column + offset)

    def refused(self, wanted: str, seen: str | None = None) -> ProtocolError:
        """Return the error to raise about this text."""
        return ProtocolError(Problem(self.place, seen or shown(self), wanted))


@dataclass(frozen=True, slots=True)
class ListNode:
    """A YAML sequence."""

    items: "tuple[Node, ...]"
    place: Place


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A YAML mapping, in the order it was written; its keys are text and differ from each other."""

    entries: "tuple[tuple[Scalar, Node], ...]"
    place: Place

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key.text for key, _ in self.entries)

    def take(self, key: str) -> "Node | None":
        """Return what stands under `key`, or None."""
        return next((value for name, value in self.entries if name.text == key), None)

    def need(self, key: str, wanted: str) -> "Node":
        """Return what stands under `key`; without it, a `ProtocolError` saying what was wanted."""
        node = self.take(key)
        if node is None:
            raise ProtocolError(Problem(self.place, f"no `{key}` here", f"`{key}: {wanted}`"))
        return node

    def only(self, known: Sequence[str], what: str) -> None:
        """Raise a `ProtocolError` for keys that are not among the `known` ones of such a `what`."""
        unknown = [key for key, _ in self.entries if key.text not in known]
        if unknown:
            raise ProtocolError(*(_unknown(key, known, what) for key in unknown[:_MOST_UNKNOWN_KEYS]))


Node = Scalar | ListNode | MappingNode


def shown(node: Node) -> str:
    """Return what a person would call this node in a message."""
    match node:
        case ListNode():
            return "a list"
        case MappingNode():
            return "a mapping"
        case Scalar(text="" | "~" | "null"):
            return "nothing"
        case Scalar(text=text):
            return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def refused(node: Node, wanted: str) -> ProtocolError:
    """Return the error to raise about a node of the wrong kind."""
    return ProtocolError(Problem(node.place, shown(node), wanted))


def as_scalar(node: Node, wanted: str) -> Scalar:
    """Return the node as text that says something; anything else is a `ProtocolError`."""
    if not isinstance(node, Scalar) or shown(node) == "nothing":
        raise refused(node, wanted)
    if (control := CONTROL.search(node.text)) is not None:
        seen = f"the character U+{ord(control[0]):04X}, escaped"
        raise ProtocolError(Problem(node.place, seen, "printable text"))
    return node


def as_name(node: Node, wanted: str) -> Scalar:
    """Return the node as a name: what a person who sees it can type, and nobody can mistake for another."""
    scalar = as_scalar(node, wanted)
    text = scalar.text
    if len(text) > LONGEST_NAME:
        raise scalar.refused(f"{wanted} of at most {LONGEST_NAME} characters")
    strange = next((letter for letter in text if unicodedata.category(letter) in _UNSEEN), None)
    if strange is not None:
        seen = f"the character U+{ord(strange):04X} in a name"
        raise ProtocolError(Problem(scalar.place, seen, "one that is seen"))
    if text != " ".join(text.split()):
        raise scalar.refused("a name with single spaces in it, and none around it")
    if text != unicodedata.normalize("NFC", text):
        raise scalar.refused("a name in composed characters (Unicode NFC), as a keyboard types them")
    return scalar


def as_list(node: Node, wanted: str) -> ListNode:
    """Return the node as a list that holds something; anything else is a `ProtocolError`."""
    if not isinstance(node, ListNode) or not node.items:
        raise refused(node, wanted)
    return node


def as_mapping(node: Node, wanted: str) -> MappingNode:
    """Return the node as a mapping; anything else is a `ProtocolError`."""
    if not isinstance(node, MappingNode):
        raise refused(node, wanted)
    return node


def one_of(scalar: Scalar, known: Sequence[str], what: str) -> str:
    """Return the text if it is one of the `known`; otherwise a `ProtocolError` that lists them."""
    if scalar.text not in known:
        raise ProtocolError(_unknown(scalar, known, what))
    return scalar.text


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return " (did you mean 'x'?)" for a near miss, otherwise nothing."""
    if len(word) > _LONGEST_COMPARED:
        return ""
    same_letters = [name for name in known if name.casefold() == word.casefold()]
    close = same_letters or get_close_matches(word, known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _unknown(scalar: Scalar, known: Sequence[str], what: str) -> Problem:
    wanted = f"{what}: {', '.join(known)}{did_you_mean(scalar.text, known)}"
    return Problem(scalar.place, f"unknown {shown(scalar)}", wanted)
