"""The trigger model with which a Keithley 2450, 2460 or 2461 opens the circuit by itself.

While the output is closed the instrument runs a little program of its own: it looks at the cell
every tenth of its time and opens the output as soon as what it measures is beyond the window, on either
side (the source's own clamp is symmetric and would not keep a cell above its lowest voltage), or
once it has looked often enough without having been started afresh. Starting it afresh is part of
the message that takes a reading: what is renewed is never just a connection that is alive, but
somebody who looks at the cell. The program itself never closes the output.

Reference manual 2461-901-01 Rev A, :TRIGger:BLOCk. Not seen on hardware: that :ABORt leaves the
output as it is, and that :READ? may follow it in the same message. Either way the cell is safe:
the state of the output is read with every reading, and a run whose output has opened ends there.
`Keithley2450.deadman` is the one setting that does without all of this.
"""

from dataclasses import dataclass

from drivers.keithley2450_models import CLAMP_MARGIN
from drivers.keithley2450_source import Source
from protocols.limits import Limits, Range

BUFFER = "defbuffer2"
"""Where the instrument's own looks go; the readings we ask for are in the other one."""

READING_SECONDS = 0.12
"""What one reading takes at most, at one power-line cycle with autozero and read-back."""

LOOKS = 9
"""How often the program looks, a tenth of its time each: the rest is for the reading before the first."""

CURRENT_MARGIN = 0.05
"""Of the larger edge: a current cut-off stands outside the source's own clamp, which holds the other side."""

UNRENEWED = "galvanod: nobody renewed the dead-man, output off"
CUT_OFF = "galvanod: beyond the window, output off"

STOP, START = ":ABOR;*WAI", ":INIT"
"""Around whatever must not meet a running trigger model; one message, so that nobody can die in between."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Between what the instrument's own measurement must stay, in volts or amperes; None: open there."""

    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, source: Source, limits: Limits) -> "Edges":
        """Return the edges of what is measured beside this source, each a little outside the window."""
        if source.function == "CURR":
            return cls._around(limits.voltage, CLAMP_MARGIN)
        values = [abs(edge.value) for edge in (limits.current.low, limits.current.high) if edge is not None]
        return cls._around(limits.current, CURRENT_MARGIN * max(values, default=0.0))

    @classmethod
    def _around(cls, window: Range, margin: float) -> "Edges":
        low = None if window.low is None else window.low.value - margin
        high = None if window.high is None else window.high.value + margin
        return cls(low, high)


def trigger_model(seconds: float, edges: Edges) -> tuple[str, ...]:
    """Return the messages that build the program: the output is open `seconds` after it was renewed.

    `seconds` is at least 2: a tenth of it must hold a reading.
    """
    cut_offs = [f"BEL, {edges.low:.6E}, 0"] if edges.low is not None else []
    cut_offs += [f"ABOV, 0, {edges.high:.6E}"] if edges.high is not None else []
    counter = 4 + len(cut_offs)
    opening = counter + 4
    blocks = [
        f'BUFF:CLE 1, "{BUFFER}"',
        f"DEL:CONS 2, {seconds / 10.0 - READING_SECONDS:.3f}",
        f'MEAS 3, "{BUFFER}"',
        *(f"BRAN:LIM:CONS {number}, {cut_off}, {opening}" for number, cut_off in enumerate(cut_offs, 4)),
        f"BRAN:COUN {counter}, {LOOKS}, 2",
        f"SOUR:STAT {counter + 1}, OFF",
        f'LOG:EVEN {counter + 2}, ERR1, "{UNRENEWED}"',
        f"BRAN:ALW {counter + 3}, {opening + 2}",
        f"SOUR:STAT {opening}, OFF",
        f'LOG:EVEN {opening + 1}, ERR1, "{CUT_OFF}"',
        f"NOP {opening + 2}",
    ]
    return (':TRIG:LOAD "Empty"', *(f":TRIG:BLOC:{block}" for block in blocks))
