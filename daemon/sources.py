"""Protocol and cell files named on the command line: a path, or the name of a ready one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from daemon.errors import UnknownError
from protocols import library
from protocols.unicycler import is_unicycler, to_yaml


class Source(NamedTuple):
    """The text of a file and what to call it in messages."""

    text: str
    file: str


def protocol_source(name: str) -> Source:
    """Read a protocol file, or a ready protocol by its name; one of aurora-unicycler is translated."""
    source = file_source(name)
    if is_unicycler(source.text):
        return Source(to_yaml(source.text, source.file).yaml, f"{source.file}, translated")
    return source


def file_source(name: str) -> Source:
    """Read a protocol file as it is, or a ready protocol by its name."""
    return _read(name, library.protocol_path, library.protocol_names, "protocol")


def cell_source(name: str) -> Source:
    """Read a cell file, or a ready cell by its name."""
    return _read(name, library.cell_path, library.cell_names, "cell")


def _read(name: str, path_of: Callable[[str], Path], names: Callable[[], Sequence[str]], what: str) -> Source:
    path = Path(name)
    if not path.exists() and name in names():
        path = path_of(name)
    try:
        return Source(path.read_text(encoding="utf-8", errors="surrogateescape"), str(name))
    except OSError as error:
        ready = ", ".join(names())
        raise UnknownError(
            f"cannot read the {what} file {name}: {error.strerror}; ready ones are {ready}"
        ) from error
