"""The faults there are and were, by simulated time."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from simulators.faults.fault import PORT, WIRE, Fault, FaultError, FaultKind
from simulators.faults.wording import asked_fault, fault_in_words

MOST_FAULTS = 1000

LASTING = frozenset(FaultKind) - WIRE - PORT - {FaultKind.DEAF}
"""Faults of cell, output and converters: what they did stays true of the past, so they are kept."""


class Faults:
    """Every fault asked for. A test may hold one, hand it to `serve` and inject faults at any time.

    Faults of the wire act when an answer is sent; those of cell, output and converters along the
    cell's own time (`lasting`, past ones too); those of the port are handed to whoever serves it.
    """

    def __init__(self, faults: Iterable[str | Fault] = ()) -> None:
        self.lasting: tuple[Fault, ...] = ()
        self._wire: list[Fault] = []
        self._port: list[Fault] = []
        self._now: Callable[[], float] = lambda: 0.0
        self._happens: Callable[[Fault], None] = self._port.append
        self._cleared: Callable[[], None] = self._port.clear
        for fault in faults:
            self.inject(fault)

    def inject(self, fault: str | Fault) -> Fault:
        """Take a fault, or a sentence such as "open for 5 s" meaning from now on. Raises `FaultError`."""
        if isinstance(fault, str):
            fault = fault_in_words(fault, self._now())
        if len(self.lasting) + len(self._wire) + len(self._port) >= MOST_FAULTS:
            raise FaultError(f"{MOST_FAULTS} faults seen, wanted no more")
        if fault.kind in PORT:
            self._happens(fault)
        elif fault.kind in LASTING:
            self.lasting += (fault,)
        else:
            self._wire.append(fault)
        return fault

    def ask(self, wanted: object) -> None:
        """Take what came over the rehearsal port, {"clear": true} included. Raises `FaultError`."""
        if wanted == {"clear": True}:
            self.clear()
        else:
            self.inject(asked_fault(wanted, self._now()))

    def clear(self) -> None:
        """End every fault now, and forget those still to come."""
        now = self._now()
        self._wire.clear()
        self.lasting = tuple(replace(f, end=min(f.end, now)) for f in self.lasting if f.begin <= now)
        self._cleared()

    def serve(
        self, now: Callable[[], float], happens: Callable[[Fault], None], cleared: Callable[[], None]
    ) -> None:
        """From now on take time from `now`, and leave what happens to the port to `happens`."""
        self._now, self._happens, self._cleared = now, happens, cleared
        waiting, self._port = self._port, []
        for fault in waiting:
            happens(fault)

    def on_answer(self) -> Fault | None:
        """Return what happens to the answer that is now sent, if anything; the oldest fault comes first."""
        return self._acting(WIRE) if self._wire else None

    def deaf(self) -> bool:
        """Whether what is said now is not heard."""
        return bool(self._wire) and self._acting({FaultKind.DEAF}) is not None

    def _acting(self, kinds: Iterable[FaultKind]) -> Fault | None:
        now = self._now()
        self._wire = [fault for fault in self._wire if now < fault.end]
        for place, fault in enumerate(self._wire):
            if fault.kind in kinds and fault.acts(now):
                self._spend(place)
                return fault
        return None

    def _spend(self, place: int) -> None:
        """Count one answer off a fault that counts them."""
        fault = self._wire[place]
        if fault.times == 1:
            del self._wire[place]
        elif fault.times is not None:
            self._wire[place] = replace(fault, times=fault.times - 1)

    def acting(self, kind: FaultKind, moment: float) -> Fault | None:
        """Return the lasting fault of that kind at a moment of the cell's time, the latest of several."""
        for fault in reversed(self.lasting):
            if fault.kind is kind and fault.acts(moment):
                return fault
        return None

    def next_edge(self, moment: float) -> float:
        """Return when a lasting fault next begins or ends after a moment; infinite if never."""
        edges = (edge for fault in self.lasting for edge in (fault.begin, fault.end) if edge > moment)
        return min(edges, default=math.inf)
