"""Neware's own files (.nda, .ndax), read by fastnda: the extra `neware`."""

import importlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from daemon.imports.counters import StepCounter
from daemon.imports.kinds import kind_of
from daemon.imports.layout import with_sign
from daemon.imports.recording import Recording, Source
from daemon.imports.text import refused
from protocols.figures.estimate import Array

_MILLI = 1e-3
_MILLIAMPERE_HOUR = _MILLIWATT_HOUR = 3.6


def read(path: Path) -> Recording:
    """Read the file; `UnreadableError` where fastnda is not installed or cannot read it."""
    try:
        fastnda = importlib.import_module("fastnda")
    except ModuleNotFoundError as error:
        wanted = "pip install 'galvanod[neware]'"
        raise refused(str(path), "a binary file of Neware, and fastnda is not installed", wanted) from error
    remarks: list[str] = []
    try:
        with _listening(remarks):
            frame = fastnda.read(str(path))
            facts = fastnda.read_metadata(str(path))
    except Exception as error:  # whatever its parser makes of a broken file
        raise refused(
            str(path), f"fastnda says {type(error).__name__}: {error}", "a whole .nda or .ndax file"
        ) from error
    if frame.is_empty():
        raise refused(str(path), "no record", "a file with at least one reading")
    labels = [str(label) for label in frame["step_type"].to_list()]
    kinds = [kind_of(label) for label in labels]
    time = _numbers(frame, "total_time_s")
    return Recording(
        source=_source(facts, frame, time, remarks),
        time=time,
        voltage=_numbers(frame, "voltage_V"),
        current=with_sign(_MILLI * _numbers(frame, "current_mA"), kinds),
        step=_numbers(frame, "step_count").astype(np.int64),
        kind=[kind.verb for kind in kinds],
        cycle=_numbers(frame, "cycle_count").astype(np.int64),
        step_time=_numbers(frame, "step_time_s"),
        charge=StepCounter(np.nan_to_num(_MILLIAMPERE_HOUR * _numbers(frame, "capacity_mAh"))),
        energy=StepCounter(np.nan_to_num(_MILLIWATT_HOUR * _numbers(frame, "energy_mWh"))),
        labels=labels,
    )


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Collect what the reader logs and warns of, which would else go to the terminal."""
    logger, listener = logging.getLogger("fastnda"), _Listener(heard)
    passed_on = logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        heard += [str(warning.message) for warning in caught]
    finally:
        logger.removeHandler(listener)
        logger.propagate = passed_on


class _Listener(logging.Handler):
    """Puts what is logged into a list."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


def _numbers(frame: Any, name: str) -> Array:
    return np.asarray(frame[name].to_numpy(), dtype=np.float64)


def _source(facts: Any, frame: Any, time: Array, remarks: Sequence[str]) -> Source:
    info = facts.get("TestInfo", {}) if isinstance(facts, dict) else {}
    test = info.get("TestInfo", {}) if isinstance(info, dict) else {}
    began = frame["unix_time_s"][0] - float(time[0])
    return Source(
        "Neware binary file",
        {"maker": "Neware"},
        technique=str(test.get("StepName", "")) or "Neware test",
        channel="-".join(str(test[name]) for name in ("DevID", "UnitID", "ChlID") if name in test),
        began=datetime.fromtimestamp(round(began, 3), UTC),
        said={name: str(test[name]) for name in ("Barcode", "SN", "StartTime") if test.get(name)},
        remarks=[f"fastnda says: {remark}" for remark in dict.fromkeys(remarks)],
        readers={"fastnda": version("fastnda")},
    )
