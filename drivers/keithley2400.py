"""Classic Keithley 2400 and 2401 source-measure units, driven reading by reading over SCPI.

Manual 2400S-900-01. One channel, "1". No dead-man: nothing in the instrument opens its output when
nobody asks for a reading any more, so the bench file has to say `unattended: true`.
"""

from typing import ClassVar, Self

from drivers.base import Driver, Identity
from drivers.keithley2400_output import Output
from drivers.keithley2450_models import Model
from drivers.keithley_output import identified, technique_refusal
from drivers.links import Link, LinkOptions
from protocols.limits import Limits
from protocols.plan import PlannedStep

_CURRENTS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_VOLTAGES = (0.2, 2.0, 20.0, 200.0)

MODELS = {
    # 22 W: volts above 20 V would be had with 0.1 A only, and nobody needs them for a cell
    "2400": Model("2400", 20.0, 1.05, _CURRENTS, _VOLTAGES, 2e-4, 1e-9),
    "2401": Model("2401", 20.0, 1.05, _CURRENTS, _VOLTAGES[:3], 2e-4, 1e-9),
}


class Keithley2400(Driver):
    """A source-measure unit with its one output."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=3.0)

    def __init__(self, identity: Identity, rating: Limits, output: Output) -> None:
        self.identity = identity
        self.rating = rating
        self.channels = {"1": output}

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        return technique_refusal(step, "2400")

    @classmethod
    async def open(cls, link: Link) -> Self:
        identity, model = await identified(link, MODELS)
        output = Output(link, model)
        await output.make_safe()
        return cls(identity, model.rating, output)
