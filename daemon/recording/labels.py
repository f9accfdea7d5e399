"""What people say of a run: its labels, which may change after it was submitted, and who changed them.

Each change is an event of the run with all of its labels from then on; the latest one holds. What was
said when it was submitted is not lost: it is in the event of the first change.
"""

import json
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from daemon.delivery.messages import Noted
from daemon.delivery.remark import ordinal
from daemon.errors import ServiceError

KIND = "labels"

FIXED = ("study", "study id")
"""What a study finds its runs by."""

MOST = 32
LONGEST_NAME = 100
SHOWN = 60
"""Letters of a value that are told in the text of the event; its detail has all of them."""


def checked(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return the new labels without blanks around them.

    Raises `ServiceError` where a label of a study's would change, or a name could not be told apart.
    """
    plain = {name.strip(): value.strip() for name, value in new.items()}
    for name in FIXED:
        if old.get(name) != plain.get(name):
            stays = f"it stays {old[name]!r}" if name in old else "this run is of none"
            raise ServiceError(f"the label `{name}` is a study's alone: {stays}")
    if len(plain) < len(new):
        raise ServiceError("two labels have the same name; wanted each name once")
    if len(plain) > MOST:
        raise ServiceError(f"{len(plain)} labels; wanted at most {MOST}")
    for name in plain.keys() - old.keys():
        if not 0 < len(name) <= LONGEST_NAME or "=" in name:
            raise ServiceError(
                f"a label called {name[:SHOWN]!r}; wanted a name of 1 to {LONGEST_NAME} letters without `=`"
            )
    return plain


class Change(NamedTuple):
    """Other labels for a run: its `number`th change, which is later than those before whatever clocks say."""

    number: int
    before: Mapping[str, str]
    labels: Mapping[str, str]

    @classmethod
    def after(cls, kinds: Iterable[str], before: Mapping[str, str], labels: Mapping[str, str]) -> "Change":
        """Return the one that comes after a run's events, of these kinds."""
        return cls(1 + sum(kind == KIND for kind in kinds), before, labels)


def remark(run: str, time: float, change: Change, author: str, made: float) -> Noted:
    """Return the event of a change at `time` (seconds of the run), made at `made` (UTC seconds)."""
    number, old, new = change
    detail = {
        "author": author,
        "made": made,
        "change": number,
        "labels": dict(new),
        "before": dict(old),
    }
    return Noted(run, ordinal(), time, KIND, f"{author}: {_told(old, new)}", detail, made)


def latest(changes: Iterable[tuple[int, str]]) -> dict[str, str] | None:
    """Return what holds after changes, each an ordinal and its detail in JSON, in whatever order they came.

    One that says nothing that could be labels changes nothing.
    """
    readable = []
    for number, written in changes:
        detail = json.loads(written or "{}")
        labels = _labels_in(detail) if isinstance(detail, dict) else None
        if labels is not None:
            readable.append((_number(detail, "change"), _number(detail, "made"), number, labels))
    return max(readable, key=itemgetter(0, 1, 2))[3] if readable else None


def _labels_in(detail: Mapping[str, Any]) -> dict[str, str] | None:
    try:
        return msgspec.convert(detail.get("labels"), dict[str, str])
    except msgspec.ValidationError:
        return None


def _number(detail: Mapping[str, Any], name: str) -> float:
    found = detail.get(name)
    return float(found) if isinstance(found, int | float) else 0.0


def _told(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    said = [f"{name} is {_short(value)}" for name, value in new.items() if name not in old]
    said += [
        f"{name} is {_short(new[name])}, was {_short(value)}"
        for name, value in old.items()
        if name in new and new[name] != value
    ]
    said += [f"no {name}, was {_short(value)}" for name, value in old.items() if name not in new]
    return "; ".join(said) or "nothing changed"


def _short(value: str) -> str:
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
