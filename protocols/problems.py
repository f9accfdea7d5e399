"""What is wrong with a file, gathered so that one look mends it all."""

from collections.abc import Iterator
from contextlib import contextmanager

from protocols.errors import Place, Problem, ProtocolError

MOST_PROBLEMS = 20


class Problems:
    """Gathers independent problems; at most `MOST_PROBLEMS`, so that a hostile file is refused at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep the problems of whatever fails inside, and go on after it."""
        try:
            yield
        except ProtocolError as error:
            self._found.extend(error.problems)
        if len(self._found) >= MOST_PROBLEMS:
            self.settle()

    def add(self, place: Place, seen: str, wanted: str) -> None:
        self._found.append(Problem(place, seen, wanted))

    def settle(self) -> None:
        """Raise one `ProtocolError` with all that was found, in the order of the file, if anything was."""
        if self._found:
            found = dict.fromkeys(self._found)  # a step unrolled by `for` may fail the same way each time
            in_order = sorted(found, key=lambda p: (p.place.line, p.place.column))
            raise ProtocolError(*in_order[:MOST_PROBLEMS])
