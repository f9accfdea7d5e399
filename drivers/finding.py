"""Something a person who looks after an instrument should know."""

from typing import NamedTuple


class Finding(NamedTuple):
    """What was found, in words; `wrong` where somebody has to do something about it."""

    text: str
    wrong: bool = False
