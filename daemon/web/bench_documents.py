"""The documents of the API that tell of instruments and channels beyond one look at them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class ChannelFacts(BaseModel):
    """All that is known of a channel, SI. `limits` have the origin of each edge: channel or instrument."""

    model_config = ConfigDict(extra="allow")

    core: str
    channel: str
    driver: str
    address: str
    state: str
    trouble: str | None
    run: str | None
    last_run: str | None
    cell: str | None
    deadman: str
    instrument: Mapping[str, str] | None
    latch: Mapping[str, Any] | None
    chamber: Mapping[str, Any] | None
    limits: Mapping[str, Any]
    guards: Mapping[str, Any]
    sample: float
    unattended: bool


class Attached(BaseModel):
    """What is attached to a core; `trouble` says why it could not be asked."""

    core: str
    trouble: str | None
    instruments: Sequence[Mapping[str, Any]]
    chambers: Sequence[Mapping[str, Any]]


class Finding(BaseModel):
    """Something a person should know; `wrong` if something has to be done about it."""

    text: str
    wrong: bool


class Examined(BaseModel):
    """What an examination of a channel found, volts and degrees Celsius."""

    model_config = ConfigDict(extra="allow")

    core: str
    channel: str
    state: str
    instrument: str | None
    limits: str | None
    voltage: float | None
    temperature: float | None
    deadman: str | None
    healthy: bool
    findings: Sequence[Finding]


class Acknowledged(BaseModel):
    """Who has seen what."""

    core: str
    channel: str
    acknowledged_by: str
    trouble: str


class Hour(BaseModel):
    """Voltages by core and channel at these moments (UTC seconds); null where nothing was read."""

    times: Sequence[float]
    voltages: Mapping[str, Mapping[str, Sequence[float | None]]]
