"""A channel that passes everything on to another: a base for those that do something besides."""

from collections.abc import Sequence

from drivers.base import Program, ProgrammedChannel, ProgramStatus, Record, SteppedChannel
from drivers.whole import Followed, Taken, Unheld, WholeChannel, WholeProgram
from protocols.limits import Limits
from protocols.plan import Plan, PlannedStep
from protocols.reading import Reading
from protocols.setpoint import Setpoint


class RelayedStepped(SteppedChannel):
    """A stepped channel in front of another."""

    def __init__(self, channel: SteppedChannel) -> None:
        self._channel = channel

    def answered(self) -> None:
        """Told whenever the instrument has done what it was asked."""

    def refusal(self, step: PlannedStep) -> str | None:
        return self._channel.refusal(step)

    async def prepare(self, limits: Limits) -> None:
        await self._channel.prepare(limits)
        self.answered()

    async def apply(self, setpoint: Setpoint) -> None:
        await self._channel.apply(setpoint)
        self.answered()

    async def measure(self, within: float) -> Reading:
        reading = await self._channel.measure(within)
        self.answered()
        return reading

    async def verify(self) -> None:
        await self._channel.verify()
        self.answered()

    async def off(self) -> None:
        await self._channel.off()
        self.answered()


class RelayedProgrammed(ProgrammedChannel):
    """A programmed channel in front of another."""

    def __init__(self, channel: ProgrammedChannel) -> None:
        self._channel = channel

    def answered(self) -> None:
        """Told whenever the instrument was heard, or was quiet as it may be."""

    def refusal(self, step: PlannedStep) -> str | None:
        return self._channel.refusal(step)

    def program(self, tag: str, program: Program) -> str:
        return self._channel.program(tag, program)

    async def start(self, tag: str, program: Program) -> float:
        began = await self._channel.start(tag, program)
        self.answered()
        return began

    async def state(self) -> ProgramStatus:
        status = await self._channel.state()
        self.answered()
        return status

    async def records(self, after: int) -> Sequence[Record]:
        records = await self._channel.records(after)
        self.answered()
        return records

    async def finish(self) -> None:
        await self._channel.finish()
        self.answered()

    async def off(self) -> None:
        await self._channel.off()
        self.answered()


class RelayedWhole(RelayedProgrammed, WholeChannel):
    """A channel that is given whole protocols, in front of another."""

    def __init__(self, channel: WholeChannel) -> None:
        super().__init__(channel)
        self._whole = channel

    @property
    def controls(self) -> bool:
        return self._whole.controls

    @property
    def tells_again(self) -> bool:
        return self._whole.tells_again

    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        return self._whole.unheld(plan)

    def whole_program(self, tag: str, program: WholeProgram) -> str:
        return self._whole.whole_program(tag, program)

    async def look(self) -> Reading:
        reading = await self._whole.look()
        self.answered()
        return reading

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        await self._whole.start_whole(tag, program)
        self.answered()

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        return await self._whole.attach_whole(tag, program, taken)

    async def follow(self) -> Followed:
        followed = await self._whole.follow()
        self.answered()
        return followed

    async def skip(self) -> None:
        await self._whole.skip()
        self.answered()
