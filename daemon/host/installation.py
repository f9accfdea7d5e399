"""The services' files on a machine: units, rules and a configuration to begin with.

They lie in `systemd/` as they will lie on the machine. What was installed is remembered by its
digest, so that a file somebody changed is told from one of an earlier version.
"""

import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from daemon import small_file
from daemon.delivery.broker_users import SERVICES, made_up, with_entries
from daemon.errors import ConfigurationError

MANIFEST = "usr/local/lib/galvanod/installed.json"
PASSWORDS = "etc/mosquitto/galvanod.passwords"
LAN = "lan-instruments.conf"
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # by ProtectHome=, PrivateTmp=


class Outcome(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    REPLACED = "replaced"  # an earlier version of ours that nobody had changed
    KEPT = "kept"  # it was like that
    BESIDE = "beside"  # somebody changed it: the new version is beside it, named .new


@dataclass(frozen=True, slots=True)
class Placed:
    """A file, and what became of it; `path` is the one to look at."""

    path: Path
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Installation:
    """What to install: everything below `prefix`, run by `command`.

    `lan` are the networks of the instruments the core may reach; with none it has no network.
    """

    prefix: Path
    command: Path
    lan: Sequence[str] = field(default=())

    def check(self) -> None:
        """Raise `ConfigurationError` for a network that is none, or a command the services could not run."""
        for text in self.lan:
            network(text)
        if not self.command.is_absolute():
            raise ConfigurationError(f"{self.command}: wanted the full path of galvanod")
        for path in _needed(self.command):
            if path.is_relative_to(self.prefix) and self.prefix != Path("/"):
                continue
            if hidden := next((h for h in HIDDEN if path.is_relative_to(h)), None):
                raise ConfigurationError(
                    f"{path} is below {hidden}, which the services cannot see; wanted galvanod, and the"
                    " Python it runs on, elsewhere, e.g. python3 -m venv /opt/galvanod"
                )

    def place(self, *, dry: bool = False) -> list[Placed]:
        """Put every file in its place, or with `dry` only say what would become of it.

        Doing it again changes nothing. Nothing is started, stopped or restarted.
        """
        manifest = self._manifest()
        placed: list[Placed] = []
        for name, text in self._files():
            placed.append(self._place(name, text, manifest, dry))
            manifest[name] = (
                _digest(text) if placed[-1].outcome is not Outcome.BESIDE else manifest.get(name, "")
            )
        placed.extend(self._place_secrets(dry))
        if not dry:
            _write(self.prefix / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        return placed

    def _files(self) -> Iterator[tuple[str, str]]:
        source = sources()
        for path in sorted(source.rglob("*")):
            if path.is_file() and (self.lan or path.name != LAN):
                yield str(path.relative_to(source)), self._filled(path.read_text())

    def _filled(self, text: str) -> str:
        return text.replace("@galvanod@", str(self.command)).replace(
            "@lan@", " ".join(map(network, self.lan))
        )

    def _place(self, name: str, text: str, manifest: Mapping[str, str], dry: bool) -> Placed:
        path = self.prefix / name
        outcome = _outcome(path, text, manifest.get(name))
        if outcome is Outcome.BESIDE:
            path = path.with_name(path.name + ".new")
        if outcome is not Outcome.KEPT and not dry:
            _write(path, text)
        return Placed(path, outcome)

    def _place_secrets(self, dry: bool) -> list[Placed]:
        """Make up what is missing of the services' passwords, and let the broker know them."""
        placed = []
        credentials = []
        for user in SERVICES:
            path = self.prefix / f"etc/galvanod/credentials/{user}-broker"
            there = path.exists()
            credentials.append(path.read_text() if there else made_up(user))
            if not there and not dry:
                _write(path, credentials[-1], 0o600)
            placed.append(Placed(path, Outcome.KEPT if there else Outcome.WRITTEN))
        return [*placed, self._place_passwords(credentials, dry)]

    def _place_passwords(self, credentials: list[str], dry: bool) -> Placed:
        path = self.prefix / PASSWORDS
        before = path.read_text() if path.exists() else ""
        after = with_entries(before, credentials)
        if after == before:
            return Placed(path, Outcome.KEPT)
        if not dry:
            _write(path, after, 0o640)
        return Placed(path, Outcome.REPLACED if before else Outcome.WRITTEN)

    def _manifest(self) -> dict[str, str]:
        path = self.prefix / MANIFEST
        try:
            return dict(json.loads(path.read_text()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path}: {error}; wanted what an earlier installation wrote") from error


def sources() -> Path:
    """Return the tree of files to install: beside the packages in a checkout, inside them in a wheel."""
    package = Path(str(files("daemon")))
    inside, beside = package / "systemd", package.parent / "systemd"
    for tree in (inside, beside):
        if (tree / "usr/local/lib/systemd/system").is_dir():
            return tree
    raise ConfigurationError(f"there are no units at {inside} nor at {beside}")


def network(text: str) -> str:
    """Return a network as systemd writes it; raises `ConfigurationError` for what is none."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ConfigurationError(f"{text!r}: {error}; wanted a network, e.g. 192.168.1.0/24") from error


def _needed(command: Path) -> set[Path]:
    """Return what running the command takes: itself, its environment, and the Python behind it."""
    python = command.parent / "python"
    return {command, command.resolve(), python.resolve() if python.is_symlink() else command}


def _outcome(path: Path, text: str, installed: str | None) -> Outcome:
    if not path.exists():
        return Outcome.WRITTEN
    found = path.read_text(errors="replace")
    if found == text:
        return Outcome.KEPT
    return Outcome.REPLACED if _digest(found) == installed else Outcome.BESIDE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write it whole or not at all, with its mode from the beginning."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        small_file.replace(path, text.encode(), mode, exact=True)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
