"""galvanod for notebooks: `from galvanod import open_lab`; docs/data.md shows how."""

from daemon.errors import UnavailableError, UnknownError
from daemon.reading.notebook import Columns, Lab, Run, open_lab

__all__ = ["Columns", "Lab", "Run", "UnavailableError", "UnknownError", "open_lab"]
