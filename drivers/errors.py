"""Errors an instrument can cause; the whole tree is drawn in protocols/errors.py."""

from typing import ClassVar

from protocols.errors import GalvanodError


class InstrumentError(GalvanodError):
    """Something went wrong between us and an instrument."""

    exit_status: ClassVar[int] = 69


class LinkError(InstrumentError):
    """No answer, a garbled answer, or the port is gone: asking again may help."""


class SilenceError(LinkError):
    """Nothing came before the deadline."""


class RefusedError(InstrumentError):
    """The instrument itself refused or reported an error: asking again will not help."""
