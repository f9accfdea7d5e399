"""LAND's own result file (.ccs), by the reader that also follows it while it grows."""

from pathlib import Path

import numpy as np

from daemon.imports.counters import SignedStepCounter
from daemon.imports.recording import Recording, Source
from daemon.imports.text import refused
from drivers.errors import InstrumentError
from drivers.land_ccs import CcsFile

_VERBS = {1: "charge", -1: "discharge", 0: "rest", None: ""}


def read(path: Path) -> Recording:
    """Read the file; its pages are understood from others' work only, so that its counters are all we have.

    It says nothing of cycles: they are counted by the direction of the current.
    """
    try:
        points = list(CcsFile(path).read())
    except InstrumentError as error:
        raise refused(str(path), str(error), "a result file of LAND") from error
    if not points:
        raise refused(str(path), "no record", "a LAND .ccs file with at least one page of readings")
    columns = np.array([(p.time, p.volts, p.amperes, p.step_time, p.coulombs, p.joules) for p in points])
    time, volts, amperes, step_time, coulombs, joules = columns.T
    return Recording(
        source=Source("LAND result file", {"maker": "LAND"}, technique="LAND test"),
        time=time,
        voltage=volts,
        current=amperes,
        step=np.array([point.step for point in points], dtype=np.int64),
        kind=[_VERBS[point.direction] for point in points],
        step_time=step_time,
        charge=SignedStepCounter(coulombs),
        energy=SignedStepCounter(joules),
    )
