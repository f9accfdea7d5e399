"""The queue of a channel."""

from typing import Annotated

from fastapi import APIRouter, Path

from daemon.requests import GoOn, Hold, Queue, Reorder, Unqueue
from daemon.web.control import Behind, Name
from daemon.web.documents import ChannelQueue, WentOn
from daemon.web.sent import Holding, QueueOrder
from daemon.web.visitor import Submitter, Viewer

router = APIRouter(prefix="/channels/{core}/{channel}/queue", tags=["queue"])


@router.get("", response_model=ChannelQueue)
async def queue(core: Name, channel: Name, visitor: Viewer, cores: Behind) -> ChannelQueue:
    """List what waits on a channel."""
    return ChannelQueue.model_validate(await cores.ask(core, Queue(channel)))


@router.delete("/{number}", status_code=204)
async def unqueue(
    core: Name,
    channel: Name,
    number: Annotated[int, Path(ge=1, le=2**62)],
    visitor: Submitter,
    cores: Behind,
) -> None:
    """Take a submission out of the queue."""
    await cores.ask(core, Unqueue(channel, number, by=visitor.name))


@router.put("/order", status_code=204)
async def reorder(core: Name, channel: Name, order: QueueOrder, visitor: Submitter, cores: Behind) -> None:
    """Put what waits in another order: all their numbers, the next first; 412 where others wait by now."""
    await cores.ask(core, Reorder(channel, order.order, by=visitor.name))


@router.post("/hold", status_code=204)
async def hold(core: Name, channel: Name, holding: Holding, visitor: Submitter, cores: Behind) -> None:
    """Let the queue begin nothing more until somebody lets it go on; the run under way goes on."""
    await cores.ask(core, Hold(channel, holding.reason, by=visitor.name))


@router.post("/go-on", response_model=WentOn)
async def go_on(core: Name, channel: Name, visitor: Submitter, cores: Behind) -> WentOn:
    """Let a queue go on that is held because the run before did not finish."""
    return WentOn(run=await cores.ask(core, GoOn(channel, by=visitor.name)))
