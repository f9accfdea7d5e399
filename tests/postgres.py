"""A PostgreSQL of the test's own: a cluster in a folder, on loopback, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemon.deliveries import free_port


def binaries() -> Path | None:
    """Return where the server's programs are, of the newest version installed; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


@contextmanager
def cluster(where: Path) -> Iterator[str]:
    """Run a new cluster with the programs in `where`; yield the URL of its server, without a database."""
    folder = Path(tempfile.mkdtemp(prefix="galvanod-postgres-"))
    port, user = free_port(), _user()
    data, log = folder / "data", folder / "log"
    if user is not None:
        shutil.chown(folder, user)
    settings = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={folder}"
    try:
        _run(user, where / "initdb", "-D", data, "-U", "galvanod", "-A", "trust", "-E", "UTF8", "--no-sync")
        _run(user, where / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "60", "-o", settings, "start")
        try:
            yield f"postgresql://galvanod@127.0.0.1:{port}"
        finally:
            _run(user, where / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    """Return whom to run it as: the server refuses root."""
    if os.getuid() != 0:
        return None
    return pwd.getpwnam("postgres").pw_name


def _run(user: str | None, *command: object) -> None:
    as_user = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    words = [*as_user, *map(str, command)]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", timeout=120, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}"
