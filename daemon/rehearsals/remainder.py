"""How long a protocol will take, from a rehearsal that saw its beginning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daemon.reading.results import StepRecord
from protocols.forecast import Forecast, StepForecast


@dataclass(frozen=True, slots=True)
class SteppedThrough:
    """One step of the plan as it was rehearsed; `latest` is its last visit that ended, where one did.

    `passed` seconds were gone through, `under_way` of them in a visit that has not ended. `to_come` is
    how often it has still to end, and `seconds` how long each visit is taken to last.
    """

    expected: StepForecast
    visits: int
    passed: float
    under_way: float
    latest: StepRecord | None
    to_come: int
    seconds: float

    @property
    def left(self) -> float:
        """Seconds that are still to come."""
        return max(0.0, self.to_come * self.seconds - self.under_way)


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
        return sum(step.left for step in self.steps)


def remainder(forecast: Forecast, steps: Iterable[StepRecord], now: float, finished: bool) -> Remainder:
    """Hold the steps that ran against those expected, `now` seconds after the run began.

    Of a run that has `finished` nothing is to come.
    """
    by_path: dict[str, list[StepRecord]] = {}
    for step in steps:
        by_path.setdefault(step.path or "", []).append(step)
    return Remainder(
        tuple(_through(each, by_path.get(each.path, []), now, finished) for each in forecast.steps)
    )


def _through(
    expected: StepForecast, visits: Sequence[StepRecord], now: float, finished: bool
) -> SteppedThrough:
    ended = [visit for visit in visits if visit.ended is not None and visit.duration is not None]
    latest = ended[-1] if ended else None
    seconds = expected.seconds if latest is None or latest.duration is None else latest.duration
    begun = [visit.started for visit in visits if visit.ended is None and visit.started is not None]
    under_way = sum(max(0.0, now - started) for started in begun)
    passed = sum(visit.duration or 0.0 for visit in ended) + under_way
    to_come = 0 if finished else max(0, expected.times - len(ended))
    return SteppedThrough(expected, len(visits), passed, under_way, latest, to_come, seconds)
