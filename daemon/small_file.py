"""A small file of JSON that is replaced whole, so that nobody ever reads half of it."""

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
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error)
