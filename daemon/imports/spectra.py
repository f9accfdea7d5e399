"""Where in a column of frequencies one spectrum ends and the next begins."""

import numpy as np

from daemon.imports.recording import Integers
from protocols.figures.estimate import Array

_JUMP = 5.0  # times the frequency: no spectrum has neighbours further apart the wrong way


def spectra(frequency: Array) -> Integers:
    """Number the spectra of a column from 1: each goes one way, and the next begins with a jump back.

    A first frequency that is measured once more at the end, to see drift, is one more point, not
    one more spectrum.
    """
    begins = np.zeros(len(frequency), dtype=np.int64)
    steps = np.diff(np.log(frequency))
    way = np.sign(steps[0]) if len(steps) else 0.0
    back = np.flatnonzero(-way * steps > np.log(_JUMP)) + 1
    begins[[place for place in back if place < len(frequency) - 1]] = 1
    return 1 + np.cumsum(begins)
