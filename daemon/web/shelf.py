"""The lab's own protocols and cells: plain YAML files, with every version that was ever saved beside them.

    library/cells/ls_042.yaml             the latest, for people and their tools
    library/cells/.versions/ls_042/3~ada.yaml   the third, saved by ada

Whoever edits the file itself is welcome: what stands there counts, and is a version with the next save.
"""

import contextlib
import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from daemon import small_file
from daemon.errors import ServiceError, StaleError, UnavailableError, UnknownError
from protocols.source import MOST_BYTES

LARGEST = MOST_BYTES
"""Bytes of a file, as of those that are submitted."""

MOST_FILES = 2000
MOST_VERSIONS = 500

BY_HAND = "by-hand"
"""Who saved what somebody wrote into the file itself."""

NAME = r"^[a-z0-9][a-z0-9_-]{0,47}$"
_NAME = re.compile(NAME)
_VERSION = re.compile(r"(\d+)~([a-z0-9._-]+)\.yaml")


class Kept(NamedTuple):
    """A file as it stands; `digest` changes with its text, `changed` is UTC seconds."""

    name: str
    text: str
    digest: str
    changed: float


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was saved once; `saved` is UTC seconds."""

    number: int
    who: str
    saved: float


class Shelf:
    """The files of one kind. Whoever changes one says which text was seen last: its digest, "" for none.

    Not for two processes at once: there is one that serves the page. Every method may raise
    `UnavailableError` where the disk does not take or give it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of all files."""
        return sorted(path.stem for path in self._folder.glob("*.yaml") if _NAME.fullmatch(path.stem))

    def read(self, name: str) -> Kept:
        """Return a file. Raises `UnknownError` where there is none of that name."""
        path = self._path(name)
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
            return Kept(name, text, digest_of(text), path.stat().st_mtime)
        except FileNotFoundError as error:
            raise UnknownError(f"the lab has no file of its own called {name[:60]!r}") from error
        except OSError as error:
            raise UnavailableError(f"{path}: {error.strerror}") from error

    def every(self) -> Iterator[Kept]:
        """Yield the files there are, in the order of their names; one that goes away meanwhile is none."""
        for name in self.names():
            with contextlib.suppress(UnknownError):
                yield self.read(name)

    def save(self, name: str, text: str, seen: str | None, who: str) -> Kept:
        """Save a new file or a new version of one.

        Raises `StaleError` where it is not what was seen last (any will do for None), `ServiceError` for
        a name or a text that cannot be kept.
        """
        path, data = self._path(name), text.encode("utf-8", "replace")
        if len(data) > LARGEST:
            raise ServiceError(f"{name}: {len(data)} bytes; wanted at most {LARGEST}")
        before = self._seen(name, seen)
        if before is None and len(self.names()) >= MOST_FILES:
            raise ServiceError(f"the library holds {MOST_FILES} files already; delete some first")
        if before is not None and before.text == text:
            return before
        with _disk(path):
            if before is not None and before.text != self._latest(name):
                self._keep_version(name, path.read_bytes(), BY_HAND)
            self._keep_version(name, data, who)
            small_file.replace(path, data, 0o640)
        return self.read(name)

    def rename(self, name: str, to: str, seen: str | None) -> Kept:
        """Call a file something else, and its versions. Raises `ServiceError` where that name is taken."""
        before, path, new = self._seen(name, seen), self._path(name), self._path(to)
        if before is None:
            raise UnknownError(f"the lab has no file of its own called {name[:60]!r}")
        if new.exists():
            raise ServiceError(f"there is a file called {to!r} already; take another name")
        with _disk(path):
            if self._versions(to).exists():  # of one that was deleted
                self._versions(to).replace(self._versions(f"{to}~{secrets.token_hex(4)}"))
            if self._versions(name).exists():
                self._versions(name).replace(self._versions(to))
            path.replace(new)
        return self.read(to)

    def delete(self, name: str, seen: str | None) -> None:
        """Take a file away; its versions stay on the disk, and are there again for one of the same name."""
        if self._seen(name, seen) is None:
            raise UnknownError(f"the lab has no file of its own called {name[:60]!r}")
        with _disk(self._path(name)):
            self._path(name).unlink(missing_ok=True)

    def versions(self, name: str) -> list[Version]:
        """Return the versions that were saved, the latest first."""
        with _readable(self._versions(name)):
            return [
                Version(number, who, path.stat().st_mtime)
                for number, who, path in sorted(self._listed(name), reverse=True)
            ]

    def version(self, name: str, number: int) -> str:
        """Return the text of an earlier version."""
        for each, _, path in self._listed(name):
            if each == number:
                with _readable(path):
                    return path.read_text(encoding="utf-8", errors="replace")
        raise UnknownError(f"{name} has no version {number}")

    def _seen(self, name: str, seen: str | None) -> Kept | None:
        """Return what stands there, None where nothing does; refuse who has seen something else."""
        found = self.read(name) if self._path(name).exists() else None
        if seen is not None and seen != ("" if found is None else found.digest):
            what = "does not exist" if found is None else "was changed by somebody else meanwhile"
            raise StaleError(f"{name} {what if seen else 'exists already'}; look at it, then save again")
        return found

    def _latest(self, name: str) -> str | None:
        kept = max(self._listed(name), default=None)
        return None if kept is None else self.version(name, kept[0])

    def _keep_version(self, name: str, data: bytes, who: str) -> None:
        folder = self._versions(name)
        folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(self._listed(name))
        number = 1 + max((number for number, _, _ in kept), default=0)
        small_file.replace(folder / f"{number}~{who}.yaml", data, 0o640)
        for _, _, path in kept[: -MOST_VERSIONS + 1]:
            path.unlink(missing_ok=True)

    def _listed(self, name: str) -> Iterator[tuple[int, str, Path]]:
        self._path(name)
        for path in self._versions(name).glob("*.yaml"):
            if (found := _VERSION.fullmatch(path.name)) is not None:
                yield int(found[1]), found[2], path

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise ServiceError(
                f"file name {name[:60]!r}: wanted 1 to 48 of a-z 0-9 _ -, beginning with a letter or a digit"
            )
        return self._folder / f"{name}.yaml"

    def _versions(self, name: str) -> Path:
        return self._folder / ".versions" / name


def digest_of(text: str) -> str:
    """Return what tells one text from another."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say which file it was that the disk does not give."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}") from error


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Say which file it was where the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}; what stood there before still stands") from error
