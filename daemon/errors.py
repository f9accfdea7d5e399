"""Errors of the service itself; the whole tree is drawn in protocols/errors.py."""

from typing import ClassVar

from protocols.errors import GalvanodError


class ServiceError(GalvanodError):
    """The service cannot do what was asked."""


class UnavailableError(ServiceError):
    """The core, the broker or the database is not there."""

    exit_status: ClassVar[int] = 69


class DamagedError(UnavailableError):
    """The file of the results database is damaged: it is set aside and built anew."""


class BusyError(ServiceError):
    """The channel or the state directory is taken."""

    exit_status: ClassVar[int] = 75


class LatchedError(BusyError):
    """A limit opened this channel's circuit; a person must clear it first."""


class StaleError(ServiceError):
    """The run has changed since whoever asks has looked at it."""

    exit_status: ClassVar[int] = 75


class KeyReusedError(ServiceError):
    """The key of a submission was used for another one before."""


class UnknownError(ServiceError):
    """There is no such run, channel, cell or protocol."""

    exit_status: ClassVar[int] = 66


class ConfigurationError(ServiceError):
    """The settings or the bench file cannot be used."""

    exit_status: ClassVar[int] = 78


class UnreadableError(ServiceError):
    """A file to be imported is foreign, broken or cut short: nothing of it is kept."""

    exit_status: ClassVar[int] = 65
