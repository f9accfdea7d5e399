"""A core, looked at again and again: of what it says only that is read which is new."""

from collections.abc import Iterable

import msgspec

from daemon.glance import Facts, Values
from daemon.requests import Glances
from daemon.web.cores import Cores
from daemon.web.seen import CoreState, Seen
from protocols.errors import GalvanodError

PATIENCE = 5.0
"""Seconds a core may take to answer; the page says that it does not."""


class _Glance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A `Glance` still to be read: facts are the same from one second to the next, values are passed on."""

    facts: msgspec.Raw
    values: msgspec.Raw


_glances = msgspec.json.Decoder(list[_Glance])
_facts = msgspec.json.Decoder(Facts)
_values = msgspec.json.Decoder(Values)


class Lookout:
    """Looks at one core; facts that have not changed are the same object as before."""

    def __init__(self, core: str, cores: Cores) -> None:
        self.state = CoreState(core, "has not been asked yet")
        self.seen: list[Seen] = []
        """Its channels; where it does not answer, as they were last seen."""
        self._core, self._cores = core, cores
        self._texts: list[bytes] = []
        """What was read of each of `seen`."""

    async def look(self) -> None:
        """Ask what its channels are doing, or find out why it does not answer."""
        try:
            answers = [raw async for raw in self._cores.events(self._core, Glances(), PATIENCE)]
            self.seen = self._read(glance for raw in answers for glance in _glances.decode(raw))
            self.state = CoreState(self._core)
        except GalvanodError as error:
            self.state = CoreState(self._core, str(error))
        except msgspec.MsgspecError as error:
            self.state = CoreState(self._core, f"core {self._core} answers what cannot be read: {error}")

    def _read(self, glances: Iterable[_Glance]) -> list[Seen]:
        seen = []
        texts = []
        for place, glance in enumerate(glances):
            text = bytes(glance.facts)
            # Nearly always the same channel in its place says the same: a comparison finds it, no look-up.
            if place < len(self._texts) and self._texts[place] == text:
                facts = self.seen[place].facts
            else:
                facts = _facts.decode(text)
            texts.append(text)
            reading = bytes(glance.values)
            seen.append(Seen(self._core, facts, _values.decode(reading), reading))
        self._texts = texts
        return seen
