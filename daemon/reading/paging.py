"""The way through a long list: what is looked for in it, and where its next page begins."""

import base64
from typing import NamedTuple, TypeVar

import msgspec

from daemon.errors import UnknownError

_P = TypeVar("_P", bound=NamedTuple)


def containing(words: str) -> str:
    """Return the pattern of what contains these words, for `LIKE … ESCAPE '\\'`."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def cursor_at(place: NamedTuple) -> str:
    """Return the cursor that says where a page ends; whoever asks hands it back as it is."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def place_of(cursor: str, kind: type[_P]) -> _P:
    """Return the place a cursor says. Raises `UnknownError` for one that is none of ours."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise foreign(cursor) from error


def foreign(cursor: str) -> UnknownError:
    """Return the error of a cursor that this list never gave."""
    return UnknownError(f"cursor {cursor[:40]!r}: wanted the `next` of an earlier page of this list")
