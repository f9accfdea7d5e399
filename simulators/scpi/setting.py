"""A value an instrument keeps: how it is written, what it may be, what changes with it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from simulators.scpi.errors import ScpiError
from simulators.scpi.parameters import Parameter
from simulators.scpi.tree import Command

T = TypeVar("T")


def _anything(value: object) -> None:
    """The parameter's own bounds are all there is to mind."""


class Setting(Generic[T]):
    """One value with its default.

    `check` may refuse a value by raising `ScpiError`, in which case the old one stays; `changed`
    is called after every accepted write, with the value written.
    """

    def __init__(
        self,
        parameter: Parameter[T],
        default: T,
        check: Callable[[T], None] = _anything,
        changed: Callable[[T], None] = _anything,
    ) -> None:
        self.value = default
        self._parameter = parameter
        self._default = default
        self._check = check
        self._changed = changed

    def reset(self) -> None:
        """Go back to the default, as *RST does; nothing else changes with it."""
        self.value = self._default

    def write(self, parameters: tuple[str, ...]) -> None:
        """Take a new value. Raises `ScpiError` and keeps the old one if it cannot."""
        value = self._parameter.parse(only(parameters))
        self._check(value)
        self.value = value
        self._changed(value)

    def query(self, parameters: tuple[str, ...]) -> str:
        """Answer the value, or what MIN, MAX or DEF would be."""
        if parameters:
            return self._parameter.show(self._parameter.parse(only(parameters)))
        return self._parameter.show(self.value)


def only(parameters: tuple[str, ...]) -> str:
    """Return the one parameter there must be. Raises `ScpiError` -109 or -108."""
    return exactly(1, parameters)[0]


def exactly(count: int, parameters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the `count` parameters there must be. Raises `ScpiError` -109 or -108."""
    if len(parameters) < count:
        raise ScpiError(-109)
    if len(parameters) > count:
        raise ScpiError(-108)
    return parameters


def setting(header: str, kept: Setting[T]) -> Command:
    """Return the command that writes and queries a setting."""
    return Command(header, kept.write, kept.query)
