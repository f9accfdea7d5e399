"""How long a protocol will take, from a rehearsal that saw its beginning."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daemon.reading.results import StepRecord
from protocols.forecast import Forecast, StepForecast


@dataclass(frozen=True, slots=True)
class SteppedThrough:
    """One step of the plan as it was rehearsed; `latest` is its last visit that ended, where one did.

    `to_come` is how often it is still expected, and `seconds` how long each of these is taken to last.
    """

    expected: StepForecast
    visits: int
    passed: float
    latest: StepRecord | None
    to_come: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a rehearsal makes of a plan: what was gone through, and what is carried on from its last round.

    A cell that fades will be quicker than that; loops that end early are not foreseen.
    """

    steps: tuple[SteppedThrough, ...]

    @property
    def rehearsed(self) -> float:
        """Seconds that were gone through."""
        return sum(step.passed for step in self.steps)

    @property
    def to_come(self) -> float:
        """Seconds that are carried on, or expected where nothing was seen of a step."""
        return sum(step.to_come * step.seconds for step in self.steps)


def remainder(forecast: Forecast, steps: Iterable[StepRecord], finished: bool) -> Remainder:
    """Hold the steps that ran against those expected. Of a run that has `finished` nothing is to come."""
    by_path: dict[str, list[StepRecord]] = {}
    for step in steps:
        by_path.setdefault(step.path or "", []).append(step)
    return Remainder(tuple(_through(each, by_path, finished) for each in forecast.steps))


def _through(
    expected: StepForecast, by_path: Mapping[str, list[StepRecord]], finished: bool
) -> SteppedThrough:
    visits = by_path.get(expected.path, [])
    ended = [visit for visit in visits if visit.ended is not None and visit.duration is not None]
    latest = ended[-1] if ended else None
    seconds = expected.seconds if latest is None or latest.duration is None else latest.duration
    passed = sum(visit.duration or 0.0 for visit in visits)
    to_come = 0 if finished else max(0, expected.times - len(ended))
    return SteppedThrough(expected, len(visits), passed, latest, to_come, seconds)
