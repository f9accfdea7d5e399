"""What `galvanod install` puts on a machine, in a folder of its own."""

from pathlib import Path

from daemon.host.installation import Installation

UNITS = "usr/local/lib/systemd/system"


def installed(root: Path, lan: tuple[str, ...] = ()) -> Path:
    """Install below `root`, with an executable where the units look for one; return the units' folder."""
    command = root / "opt/galvanod/bin/galvanod"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    installation = Installation(root, command, lan)
    installation.check()
    installation.place()
    return root / UNITS
