"""If-Match: what somebody has seen of a thing before changing it."""

from typing import Annotated

from fastapi import Depends, Header

from daemon.web.problem import HttpError

IfMatch = Annotated[
    str | None,
    Header(max_length=100, description="the ETag that was seen: refused with 412 where it has changed since"),
]


def seen_by(if_match: IfMatch = None) -> str | None:
    """Return what an If-Match header names; None where any will do. Raises `HttpError` (400)."""
    if if_match is None or if_match == "*":
        return None
    if not (len(if_match) > 2 and if_match[0] == if_match[-1] == '"'):
        raise HttpError(
            400, "Bad If-Match", f'If-Match {if_match[:80]!r}: wanted the ETag in its quotes, e.g. "1-0"'
        )
    return if_match[1:-1]


Seen = Annotated[str | None, Depends(seen_by)]
