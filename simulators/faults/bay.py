"""The faults of one channel among many: its cell's own; those of wire and port are its instrument's."""

from collections.abc import Iterable

from simulators.faults.fault import Fault
from simulators.faults.schedule import LASTING, Faults
from simulators.faults.wording import asked_fault, fault_in_words


class BayFaults(Faults):
    """Keeps what goes wrong with one cell; passes what goes wrong with the instrument on to `whole`."""

    def __init__(self, faults: Iterable[str | Fault], whole: Faults) -> None:
        self._whole = whole
        super().__init__((*whole.lasting, *faults))

    def inject(self, fault: str | Fault) -> Fault:
        found = fault_in_words(fault, self._now()) if isinstance(fault, str) else fault
        return super().inject(found) if found.kind in LASTING else self._whole.inject(fault)

    def ask(self, wanted: object) -> None:
        if wanted != {"clear": True} and asked_fault(wanted, self._now()).kind not in LASTING:
            self._whole.ask(wanted)
        else:
            super().ask(wanted)
