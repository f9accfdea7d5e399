"""Waiting for an instrument, with an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from protocols.errors import GuardError


@asynccontextmanager
async def answered(seconds: float, wanted: str) -> AsyncIterator[None]:
    """Let the body wait for its instrument up to `seconds` of real time; then raise `GuardError`.

    Whatever hangs below, the engine does not: it goes on to open the circuit.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise GuardError(
            f"stale: no {wanted} for {seconds:.3g} s, the instrument hangs or is gone"
        ) from error
