"""PalmSens EmStat4 LR and HR: what each can do."""

from dataclasses import dataclass

from protocols.limits import Bound, Limits, Range


@dataclass(frozen=True, slots=True)
class Model:
    """Ratings in volts and amperes; the smallest current range is where autoranging may go."""

    name: str
    volts: float
    amperes: float
    smallest_current_range: float

    @property
    def rating(self) -> Limits:
        """The window of the model, with the channel as its origin."""
        return Limits(
            voltage=Range(Bound(-self.volts, "channel"), Bound(self.volts, "channel")),
            current=Range(Bound(-self.amperes, "channel"), Bound(self.amperes, "channel")),
        )


MODELS = {
    "es4_lr": Model("EmStat4 LR", 3.0, 0.01, 1e-9),
    "es4_hr": Model("EmStat4 HR", 6.0, 0.1, 1e-7),
}
"""By the device letters a `t` is answered with. Voltages as the maker's data sheet, not read on hardware."""

HIGHEST_FREQUENCY = 200e3
"""Hertz, of an impedance measurement."""
