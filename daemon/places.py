"""Where the service keeps its things: one state directory per core."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LONGEST_ADDRESS = 100  # bytes; the kernel's own limit for a Unix socket is 108


def default_state_directory() -> Path:
    """Return $STATE_DIRECTORY (systemd), else the user's state directory."""
    if directory := os.environ.get("STATE_DIRECTORY"):
        return Path(directory.split(":")[0])
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "galvanod"


def socket_address(path: Path) -> str:
    """Return an address for the socket file that the kernel takes however long its path is."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        return str(path)
    return os.path.relpath(path)


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one state directory."""

    state: Path

    @property
    def socket(self) -> Path:
        return self.state / "core.sock"

    @property
    def spool(self) -> Path:
        return self.state / "spool.db"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def lock(self) -> Path:
        return self.state / "core.lock"

    @property
    def tokens(self) -> Path:
        """Who may use the page."""
        return self.state / "tokens.json"

    @property
    def token_use(self) -> Path:
        """When each token was last used."""
        return self.state / "token-use.json"

    @property
    def ledger(self) -> Path:
        """What was asked of the page, by whom and from where."""
        return self.state / "ledger.db"

    @property
    def instruments(self) -> Path:
        """What the core left for `galvanod safe`: where its instruments are."""
        return self.state / "instruments.json"

    @property
    def where(self) -> Path:
        """What `up` left for the other commands: addresses and process numbers."""
        return self.state / "where.json"

    @property
    def default_database(self) -> str:
        return f"sqlite:///{self.state.absolute() / 'results.db'}"

    def database(self) -> str:
        """The results database of the service that runs here, or would."""
        return str(self.read_where().get("database", self.default_database))

    def read_where(self) -> dict[str, Any]:
        """Return what `up` wrote; empty if it never ran here."""
        try:
            found = json.loads(self.where.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
