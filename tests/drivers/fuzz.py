"""What a wire may say instead of what it should: a link that says it, and bytes to say."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from hypothesis import strategies as st

from drivers.errors import LinkError
from drivers.links import Link
from drivers.links.lines import LineBuffer

ANYTHING = st.binary(max_size=120)


class Babble(Link):
    """Takes whatever is sent and says its bytes line by line, cut as by any link; then it is gone."""

    address = "babble"

    def __init__(self, data: bytes) -> None:
        buffer = LineBuffer("\n")
        buffer.feed(data)
        self._lines = deque(buffer.take())

    async def write(self, message: str) -> None:
        return

    async def read(self, deadline: float | None = None) -> str:
        if not self._lines:
            raise LinkError("babble: gone")
        return self._lines.popleft()

    async def read_lines(self, deadline: float) -> list[str]:
        first = await self.read()
        rest, self._lines = list(self._lines), deque()
        return [first, *rest]

    async def query(self, message: str, deadline: float | None = None) -> str:
        return await self.read()

    async def aclose(self) -> None:
        return


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """A true line to which something happened: cut, run into itself, a byte changed, added or lost."""
    line = draw(whole)
    for _ in range(draw(st.integers(0, 3))):
        line = draw(st.sampled_from(DAMAGES))(
            line, draw(st.integers(0, len(line))), draw(st.integers(0, 255))
        )
    return line


class Damaged(Link):
    """A conversation with an instrument in memory whose answers suffer, each the next of `damages`."""

    address = "damaged"

    def __init__(self, answer: Callable[[str], Awaitable[str | None]], damages: list["Hit | None"]) -> None:
        self.last = b""
        self._answer = answer
        self._damages = deque(damages)

    def suffer(self, damages: list["Hit | None"]) -> None:
        """Damage the next answers, each by the next of these."""
        self._damages = deque(damages)

    async def write(self, message: str) -> None:
        await self._answer(message)

    async def read(self, deadline: float | None = None) -> str:
        raise LinkError("damaged: nothing was asked")

    async def read_lines(self, deadline: float) -> list[str]:
        return []

    async def query(self, message: str, deadline: float | None = None) -> str:
        answer = await self._answer(message)
        if answer is None:
            raise LinkError("damaged: that was no question")
        buffer = LineBuffer("\n")
        self.last = self._hit(answer.encode("ascii"))
        buffer.feed(self.last + b"\n")
        return buffer.next()

    async def aclose(self) -> None:
        return

    def _hit(self, line: bytes) -> bytes:
        hit = self._damages.popleft() if self._damages else None
        if hit is None:
            return line
        place, byte = round(hit.place * len(line)), hit.byte
        return hit.damage(line, place, byte)


class Hit(NamedTuple):
    """A damage, where in the line (0 to 1), and the byte it takes."""

    damage: "Damage"
    place: float
    byte: int


Damage = Callable[[bytes, int, int], bytes]

DAMAGES: tuple[Damage, ...] = (
    lambda line, place, byte: line[:place],
    lambda line, place, byte: line[place:],
    lambda line, place, byte: line[:place] + line,
    lambda line, place, byte: line[:place] + bytes([byte]) + line[place:],
    lambda line, place, byte: line[:place] + bytes([byte]) + line[place + 1 :],
    lambda line, place, byte: line[:place] + b"_" + line[place:],
    lambda line, place, byte: line[:place] + line[place + 1 :],
    lambda line, place, byte: line[:place] + line[place : place + 1] * 5000 + line[place:],
)

HITS = st.lists(
    st.none() | st.builds(Hit, st.sampled_from(DAMAGES), st.floats(0.0, 1.0), st.integers(0, 255)),
    max_size=10,
)
