"""Keithley 2450, 2460 and 2461 source-measure units, driven reading by reading over SCPI.

Reference manual 2461-901-01 Rev A; the commands used are shared by the three models. One channel, "1".
"""

from collections.abc import Sequence
from typing import ClassVar, Self

from drivers.base import Driver, Identity
from drivers.deadman import Deadman, DeadmanKind
from drivers.errors import RefusedError
from drivers.finding import Finding
from drivers.keithley2450_models import MODELS
from drivers.keithley2450_output import Output
from drivers.keithley_output import identified, technique_refusal
from drivers.links import Link, LinkOptions
from protocols.accuracy import Accuracy
from protocols.limits import Limits
from protocols.plan import PlannedStep


class Keithley2450(Driver):
    """A source-measure unit with its one output."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=2.0)

    accuracy: ClassVar[Accuracy | None] = Accuracy(1.5e-4, 1e-3, 3e-4, 1e-4)
    """SPEC-2450 Rev. A, one year: 0.015 % + 1 mV on the 20 V range; 0.03 % + 0.01 % of range holds from 10 uA
    to 100 mA. Those of 2460 and 2461 were not looked up and are taken to be the same."""

    deadman: Deadman = Deadman(DeadmanKind.INSTRUMENT, 5.0)
    """`Deadman()` instead would leave the instrument's trigger model alone."""

    def __init__(self, identity: Identity, rating: Limits, output: Output) -> None:
        self.identity = identity
        self.rating = rating
        self.channels = {"1": output}
        self._output = output

    def adopt(self, deadman: Deadman) -> None:
        super().adopt(deadman)
        self._output.deadman = deadman

    async def findings(self) -> Sequence[Finding]:
        return await self._output.findings()

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        return technique_refusal(step, "24xx")

    @classmethod
    async def open(cls, link: Link) -> Self:
        identity, model = await identified(link, MODELS)
        language = await link.query("*LANG?")
        if language.strip() != "SCPI":
            raise RefusedError(
                f"{link.address}: the command set is {language!r}; wanted SCPI (send *LANG SCPI, power-cycle)"
            )
        output = Output(link, model, cls.deadman)
        await output.make_safe()
        return cls(identity, model.rating, output)
