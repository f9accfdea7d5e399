"""One line of a script, cut into words that know their column."""

import re
from dataclasses import dataclass

from simulators.methodscript.errors import Code, ScriptError

_WORD = re.compile(r"""f?"[^"]*"|[a-z_]\w*\([^()"]*\)|[^\s"#()]+""", re.ASCII)
_OPTION = re.compile(r"([a-z_]\w*)\(([^()]*)\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the column it starts at, from 1."""

    text: str
    column: int

    def error(self, code: Code) -> ScriptError:
        return ScriptError(code, column=self.column)

    def option(self) -> "tuple[str, list[Word]] | None":
        """Return name and arguments of an optional argument, `nscans(3)`; None if it is not one."""
        found = _OPTION.fullmatch(self.text)
        if found is None or self.text.startswith('f"'):
            return None
        return found[1], split(found[2], self.column + found.start(2))


def split(line: str, column: int = 1) -> list[Word]:
    """Return the words before any `#`. Raises `ScriptError` at a character that fits nowhere."""
    words: list[Word] = []
    at = 0
    while at < len(line) and line[at] != "#":
        if line[at] in " \t":
            at += 1
            continue
        found = _WORD.match(line, at)
        if found is None or not found[0].isascii() or not found[0].isprintable():
            raise ScriptError(Code.UNEXPECTED_CHARACTER, column=column + at)
        words.append(Word(found[0], column + at))
        at = found.end()
    return words
