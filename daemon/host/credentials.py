"""Secrets that systemd hands to a service: files only it can read."""

import os
from pathlib import Path

from daemon.errors import ConfigurationError


def credential(name: str) -> str | None:
    """Return the credential of that name without its line end; None where the service has none.

    `LoadCredential=NAME:FILE` in the unit puts it there. Raises `ConfigurationError` for one that
    is there and cannot be read.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        return None
    path = Path(directory, name)
    try:
        return path.read_text().rstrip("\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"credential {path}: {error}") from error
