"""A model of instrument: the largest voltage and current it has, and what of a step is beyond them."""

from dataclasses import dataclass

from protocols.limits import Bound, Limits, Range
from protocols.techniques import Level, Sweep


@dataclass(frozen=True, slots=True)
class Rated:
    """Its name as the maker writes it; ratings in volts and amperes, either way."""

    name: str
    volts: float
    amperes: float

    @property
    def rating(self) -> Limits:
        """The window of the model, with the channel as its origin."""
        return Limits(
            voltage=Range(Bound(-self.volts, "channel"), Bound(self.volts, "channel")),
            current=Range(Bound(-self.amperes, "channel"), Bound(self.amperes, "channel")),
        )

    def refuses_current(self, amperes: float) -> str | None:
        """Return why it cannot pass a current, or None."""
        return self._beyond(abs(amperes), self.amperes, "A")

    def refuses_level(self, level: Level) -> str | None:
        """Return why it cannot hold a level. One versus open circuit is judged once that is known."""
        return None if level.versus_open_circuit else self._beyond(abs(level.volts), self.volts, "V")

    def refuses_sweep(self, sweep: Sweep) -> str | None:
        """Return why it cannot sweep so, or None."""
        if sweep.cycles > 1 and len(sweep.vertices) < 2:
            return "a sweep of several cycles needs two turning points"
        reasons = map(self.refuses_level, (sweep.start, *sweep.vertices))
        return next((reason for reason in reasons if reason), None)

    def _beyond(self, magnitude: float, rating: float, unit: str) -> str | None:
        if magnitude <= rating:
            return None
        return f"{magnitude:g} {unit} is beyond the ±{rating:g} {unit} of the {self.name}"
