"""The service supervisor, told how we are: the sd_notify protocol over `$NOTIFY_SOCKET`."""

import logging
import os
import socket
from collections.abc import Mapping

_log = logging.getLogger(__name__)


class Notifier:
    """Tells systemd, or nobody where nobody asked. Never waits and never raises."""

    def __init__(self, address: str | None) -> None:
        """`address` is a path, or an abstract one that begins with @."""
        self._address = None if address is None else address.replace("@", "\0", 1)
        self._deaf = False

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "Notifier":
        """Return the notifier of whoever started this process."""
        return cls(environment.get("NOTIFY_SOCKET"))

    def ready(self) -> None:
        """Say that start-up, recovery included, is over."""
        self._tell("READY=1")

    def ping(self, status: str) -> None:
        """Say that every part of the service lives."""
        self._tell("WATCHDOG=1", f"STATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """Say how the service is, and nothing more."""
        self._tell(f"STATUS={_one_line(status)}")

    def stopping(self, seconds: float) -> None:
        """Say that the end has begun and may take `seconds`."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def extend(self, seconds: float) -> None:
        """Ask for `seconds` more of starting or stopping, from now."""
        self._tell(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)  # a supervisor that does not listen must not stall the loop
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._deaf:
                _log.warning("the service supervisor does not listen: %s", error)
            self._deaf = True


def _one_line(text: str) -> str:
    return " ".join(text.split())
