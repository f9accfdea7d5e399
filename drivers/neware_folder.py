"""Where step files go: a folder that the PC of the BTS Client sees too, maybe under another name.

A client reads its step files itself. The address says where: `tcp://192.168.1.5:502?folder=/mnt/bts&seen=D:\\bts`
writes to /mnt/bts what the client is told to read from D:\\bts. A client on this machine needs none.
"""

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from drivers.errors import InstrumentError, RefusedError

OWN = "galvanod-neware"
"""The folder below the machine's temporary one, for a client on this machine."""


@dataclass(frozen=True, slots=True)
class Folder:
    """`here` as this machine calls it, `seen` as the client does."""

    here: Path
    seen: str

    @classmethod
    def of(cls, address: str) -> "Folder | None":
        """Return the folder of an address; None for a client elsewhere whose address names none."""
        parts = urlsplit(address)
        told = parse_qs(parts.query)
        unknown = set(told) - {"folder", "seen"}
        if unknown:
            raise InstrumentError(f"address {address!r}: {', '.join(unknown)} seen, wanted folder and seen")
        if "folder" in told:
            here = told["folder"][0]
            return cls(Path(here), told.get("seen", [here])[0])
        if parts.hostname in ("127.0.0.1", "localhost", "::1"):
            here = str(Path(tempfile.gettempdir()) / OWN)
            return cls(Path(here), here)
        return None

    def write(self, name: str, text: str) -> str:
        """Write a file, on the disk when this returns; return its path as the client sees it."""
        file = re.sub(r"[^A-Za-z0-9.-]", "_", name) + ".xml"
        try:
            self.here.mkdir(parents=True, exist_ok=True)
            with (self.here / file).open("w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            raise RefusedError(f"the step file cannot be written to {self.here}: {error}") from error
        separator = "\\" if "\\" in self.seen else "/"
        return f"{self.seen.rstrip(separator)}{separator}{file}"

    def remove(self, name: str) -> None:
        """Remove a file that was written; the client has read it."""
        (self.here / (re.sub(r"[^A-Za-z0-9.-]", "_", name) + ".xml")).unlink(missing_ok=True)
