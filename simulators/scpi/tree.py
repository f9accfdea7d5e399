"""The command tree: which acts hang where, written as the manual writes headers."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from simulators.scpi.errors import ScpiError
from simulators.scpi.parameters import short

Act = Callable[[tuple[str, ...]], str | Awaitable[str | None] | None]
"""Takes the raw parameters; answers if it is a query."""

NODE = re.compile(r"(?P<optional>\[)?:?(?P<word>\*?[A-Za-z0-9]+)(?P<suffix>\[1\])?(?(optional)\])")


@dataclass(frozen=True, slots=True)
class Command:
    """A header in the manual's notation and what it does.

    Capitals are the short form, `[...]` may be left out, `[1]` is a suffix that may be written:
    ":SOURce[1]:CURRent[:LEVel][:IMMediate][:AMPLitude]".
    """

    header: str
    write: Act | None = None
    query: Act | None = None


@dataclass(slots=True)
class _Node:
    """One mnemonic; its children by every spelling."""

    suffixed: bool = False
    children: "dict[str, _Node]" = field(default_factory=dict)
    command: Command | None = None

    def grow(self, word: str, suffixed: bool) -> "_Node":
        child = self.children.setdefault(short(word), _Node())
        child.suffixed |= suffixed
        self.children[word.upper()] = child
        return child

    def descend(self, mnemonic: str) -> "_Node":
        """Return the child of that name. Raises `ScpiError` -113, or -114 for a suffix that is not there."""
        if mnemonic in self.children:
            return self.children[mnemonic]
        bare = mnemonic.rstrip("0123456789")
        child = self.children.get(bare)
        if child is None or not child.suffixed:
            raise ScpiError(-113)
        if mnemonic[len(bare) :] != "1":
            raise ScpiError(-114)
        return child


class Tree:
    """Every command an instrument knows."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._root = _Node()
        for command in commands:
            for words in _spellings(list(NODE.finditer(command.header))):
                self._hang(words, command)

    def _hang(self, words: list[re.Match[str]], command: Command) -> None:
        node = self._root
        for word in words:
            node = node.grow(word["word"], bool(word["suffix"]))
        if node.command is not None:
            raise ValueError(f"{command.header} and {node.command.header} share a spelling")
        node.command = command

    def find(self, path: tuple[str, ...], query: bool) -> Act:
        """Return the act at `path`. Raises `ScpiError` -113 or -114 if there is none of that form."""
        node = self._root
        for mnemonic in path:
            node = node.descend(mnemonic)
        if node.command is None:
            raise ScpiError(-113)
        act = node.command.query if query else node.command.write
        if act is None:
            raise ScpiError(-113)
        return act


def _spellings(words: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Yield every way to leave optional words out."""
    if not words:
        yield []
        return
    first, rest = words[0], words[1:]
    for tail in _spellings(rest):
        yield [first, *tail]
        if first["optional"]:
            yield tail
