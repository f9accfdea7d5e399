"""What the web process is told: where the cores, the database and its own files are, and who may ask."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daemon.errors import ConfigurationError

DEFAULT_PORT = 8720

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the web process.

    `cores` are the control sockets by the name of their core. `names` are the host names it
    answers to besides those of loopback; another one in a request is refused, which is what keeps
    a foreign page from reaching it (DNS rebinding). Off loopback it wants a certificate, or to be
    told that a proxy in front has one.
    """

    cores: Mapping[str, Path]
    database: str
    tokens: Path
    cache: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    or_free_port: bool = False
    """Whether another port will do where that one is taken."""
    names: Sequence[str] = field(default=())
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    notices: Path | None = None
    """The file that says who is told of what."""
    broker: str | None = None
    """Where states and events are announced."""
    mqtt_commands: bool = False
    """Whether anything is obeyed that comes from there."""
    home_assistant: bool = False
    """Whether Home Assistant is told there what channels there are."""

    def check(self) -> None:
        """Raise `ConfigurationError` for what would be unsafe, or could not work."""
        if not self.cores:
            raise ConfigurationError("no core is named; wanted at least one socket")
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("a certificate and its key go together; only one was given")
        if self.mqtt_commands and self.broker is None:
            raise ConfigurationError("commands by MQTT want a broker; see --broker")
        if self.home_assistant and self.broker is None:
            raise ConfigurationError("devices for Home Assistant want a broker; see --broker")
        if not self.on_loopback and self.certificate is None and not self.behind_proxy:
            raise ConfigurationError(
                f"listening on {self.host} would send tokens in the clear; wanted --certificate and --key,"
                " or --behind-proxy where a proxy on this machine encrypts (see docs/web.md)"
            )
        if not self.on_loopback and not self.names:
            raise ConfigurationError(
                f"listening on {self.host}: wanted --host-name, the name people type to reach the page"
            )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def encrypted(self) -> bool:
        """Whether the browser's connection is encrypted: cookies then travel on no other."""
        return self.certificate is not None or self.behind_proxy

    @property
    def url(self) -> str:
        """Where a person finds the page."""
        scheme = "https" if self.encrypted else "http"
        name = self.names[0] if self.names else (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{scheme}://{name}:{self.port}/" if not self.behind_proxy else f"{scheme}://{name}/"

    def answers_to(self, host: str) -> bool:
        """Whether a request's Host header names us; the port does not matter."""
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return name.lower() in {*LOOPBACK_NAMES, *(known.lower() for known in self.names)}
