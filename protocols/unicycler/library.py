"""The library itself, which checks what goes in and out: the extra `interop`."""

import importlib
from typing import Any

from protocols.errors import Place, Problem, ProtocolError

MOST_TOLD = 5


def checked(file: str, data: object) -> Any:
    """Return the library's own protocol of this data; `ProtocolError` where it is none.

    Raised too where aurora-unicycler is not installed.
    """
    place = Place(file, 1, 1)
    try:
        library = importlib.import_module("aurora_unicycler")
        pydantic = importlib.import_module("pydantic")
    except ModuleNotFoundError as error:
        problem = Problem(
            place, "a protocol of aurora-unicycler", "`pip install 'galvanod[interop]'` for those"
        )
        raise ProtocolError(problem) from error
    try:
        return library.CyclingProtocol.model_validate(data)
    except pydantic.ValidationError as error:
        problems = [
            Problem(
                place, f"{'.'.join(map(str, each['loc']))}: {each['msg']}", "what aurora-unicycler accepts"
            )
            for each in error.errors(include_url=False)[:MOST_TOLD]
        ]
        raise ProtocolError(*problems) from error


def _where(location: tuple[str | int, ...]) -> list[str]:
    return [".".join(map(str, location))] if location else []
