"""A recorded dialogue, played to its driver and made into a test."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daemon.errors import UnreadableError
from drivers import registry
from drivers.base import Identity
from drivers.links.transcript import TranscriptError, TranscriptLink, parse
from protocols.errors import GalvanodError

_HEAD = re.compile(r"# driver (?P<driver>\S+) at ")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a driver made of the beginning of a dialogue, in which it identified who is there."""

    driver: str
    identity: Identity
    dialogue: tuple[str, ...]

    @property
    def lines(self) -> int:
        return len(self.dialogue)

    def facts(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return {"driver": self.driver, "identity": self.identity._asdict(), "lines": self.lines}


async def replayed(text: str, driver: str | None, file: str) -> Replayed:
    """Let the driver open the instrument that the dialogue is of.

    Raises `UnreadableError` for a file that is no dialogue, or none of this driver's.
    """
    named = _HEAD.search(text)
    name = driver or (named["driver"] if named else None)
    if name is None:
        raise UnreadableError(f"{file}: it names no driver; say which with --driver")
    try:
        entries = parse(text)
        link = TranscriptLink(text)
        opened = await registry.driver(name).open(link)
    except (ValueError, TranscriptError) as error:
        raise UnreadableError(f"{file}: {error}") from error
    except GalvanodError as error:
        raise UnreadableError(f"{file}: driver {name}: {error}") from error
    spoken = entries[: len(entries) - link.left]
    dialogue = tuple(f"{entry.direction} {entry.text}".rstrip() for entry in spoken)
    return Replayed(name, opened.identity, dialogue)


def written_test(found: Replayed) -> str:
    """Return the source of a test that plays the dialogue and holds the driver to what it made of it."""
    lines = (line.replace("\\", "\\\\").replace('"', '\\"') for line in found.dialogue)
    return _TEST.format(
        who=f"{found.identity.maker} {found.identity.model}",
        dialogue="\n".join(lines),
        driver=found.driver,
        identity=tuple(found.identity),
    )


_TEST = '''"""A recorded dialogue with a {who}, played to its driver."""

from drivers import registry
from drivers.base import Identity
from drivers.links.transcript import TranscriptLink

DIALOGUE = """
{dialogue}
"""


async def test_the_recorded_instrument_is_identified_as_it_was() -> None:
    with TranscriptLink(DIALOGUE) as link:
        driver = await registry.driver({driver!r}).open(link)
    assert driver.identity == Identity{identity!r}
'''
