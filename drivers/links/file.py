"""A link to a file that somebody else's software writes: file:///path. There is nobody to talk to."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from drivers.errors import LinkError
from drivers.links import Link


class FileLink(Link):
    """Only says where the file is; every question is refused."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.path = Path(unquote(urlsplit(address).path))

    async def write(self, message: str) -> None:
        raise self._refused()

    async def read(self, deadline: float | None = None) -> str:
        raise self._refused()

    async def read_lines(self, deadline: float) -> list[str]:
        raise self._refused()

    async def query(self, message: str, deadline: float | None = None) -> str:
        raise self._refused()

    async def aclose(self) -> None:
        return

    def _refused(self) -> LinkError:
        return LinkError(f"{self.address} is a file: nobody answers there")
