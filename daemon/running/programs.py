"""What an instrument that runs programs by itself would be sent for a plan."""

from collections.abc import Mapping, Sequence

from drivers.base import Channel, Program, ProgrammedChannel
from drivers.whole import WholeChannel, WholeProgram
from protocols.plan import Plan
from protocols.techniques import ChamberTemperature


def programs(channel: ProgrammedChannel, plan: Plan, sample: float) -> Mapping[str, str]:
    """Return the program of the whole protocol, or of each step whose ends do not hang on earlier ones."""
    if isinstance(channel, WholeChannel) and not channel.unheld(plan):
        return {"the whole protocol": channel.whole_program("check", WholeProgram(plan, sample))}
    return {
        step.path: channel.program(step.path, Program(step, plan.limits, sample))
        for step in plan.each_step()
        if not isinstance(step.technique, ChamberTemperature)
        and (step.until is None or all(end.relative_to is None for end in step.until.comparisons()))
    }


def step_by_step(channel: Channel, plan: Plan) -> Sequence[str]:
    """Say why a plan is given step by step to a channel that could be given a whole one."""
    if not isinstance(channel, WholeChannel):
        return []
    return [
        f"line {line}: {what}: {reason}; the core gives the protocol step by step"
        for line, what, reason in channel.unheld(plan)
    ]
