"""A small file that is replaced whole, so that nobody ever reads half of it; most are of JSON."""

import json
import logging
import os
from pathlib import Path

_log = logging.getLogger(__name__)


def read(path: Path) -> object:
    """Return what was written; None where nothing was, or where it cannot be read, which is logged."""
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read and begins anew: %s", path, error)
        return None
    return found


def write(path: Path, content: object) -> None:
    """Replace it; where the disk does not take it the earlier one stays, which is logged."""
    try:
        replace(path, json.dumps(content).encode())
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error)


def replace(path: Path, content: bytes, mode: int = 0o666, exact: bool = False) -> None:
    """Replace a file once the new one is on the disk; its mode is `mode` if `exact`, else less the umask.

    Raises `OSError` where the disk does not take it: the earlier one stays. Not for two writers at once.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if exact:
        partial.chmod(mode)
    partial.replace(path)
