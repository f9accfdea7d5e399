"""Which readings are kept. Every reading is judged; this rule only thins what is stored."""

from dataclasses import dataclass

from protocols.reading import Reading


@dataclass(frozen=True, slots=True)
class Recording:
    """Keep a reading once any part says so; the first and last of a step are always kept.

    A voltage or current that is no number counts as a change: it is kept.

    `every` in seconds, `voltage_step` in volts, `current_step` as a fraction of the last kept
    current; `per_decade` readings per decade of step time, beginning at `from_time` seconds.
    """

    every: float | None = None
    voltage_step: float | None = None
    current_step: float | None = None
    per_decade: float | None = None
    from_time: float | None = None

    def keeps(
        self, last_time: float, last: Reading, time: float, reading: Reading, early: float = 0.0
    ) -> bool:
        """Whether the reading at step time `time` is kept after `last`, kept at `last_time`.

        A reading that comes by up to `early` seconds too soon is the one that was due: no instrument
        answers to the microsecond.
        """
        return (
            (self.every is not None and time - last_time >= self.every * (1 - 1e-9) - early)
            or (self.voltage_step is not None and _moved(last.voltage, reading.voltage, self.voltage_step))
            or (
                self.current_step is not None
                and _moved(last.current, reading.current, self.current_step * abs(last.current))
            )
            or (self.per_decade is not None and time >= self.next_moment(last_time) * (1 - 1e-9))
        )

    def next_moment(self, time: float) -> float:
        """Return the next step time at which the clock alone makes a reading kept; infinite if never."""
        moments = [float("inf")]
        if self.every is not None:
            moments.append(time + self.every)
        if self.per_decade is not None:
            first = self.from_time or 1e-3
            moments.append(max(first, time * 10.0 ** (1.0 / self.per_decade)))
        return min(moments)


def _moved(before: float, now: float, step: float) -> bool:
    """Whether the value changed by `step`; written so that NaN did, and that standing still at 0 did not."""
    return not abs(now - before) < step * (1 - 1e-9) and now != before
