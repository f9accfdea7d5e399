"""EC-Lab's own files (.mpr), read by yadg, which is installed separately."""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from daemon.imports.eclab import Technique, recording
from daemon.imports.recording import Recording, Source
from daemon.imports.table import moment
from daemon.imports.text import refused
from daemon.imports.units import factor, plain
from protocols.figures.estimate import Array

HOW = (
    "yadg, a reader under the GPL that galvanod does not bring along: pip install yadg; "
    "or export the file as text (.mpt) in EC-Lab, which galvanod reads by itself"
)
_OTHER_NAMES = {"Q charge or discharge": "Q charge/discharge", "|Energy|": ""}


def read(path: Path) -> Recording:
    """Read the file; `UnreadableError` where yadg is not installed or cannot read it."""
    try:
        yadg = importlib.import_module("yadg")
        extractors = importlib.import_module("yadg.extractors")
    except ModuleNotFoundError as error:
        raise refused(str(path), "a binary file of EC-Lab", HOW) from error
    try:
        found = extractors.extract("eclab.mpr", path).to_dataset()
    except Exception as error:  # whatever its parser makes of a broken file
        raise refused(str(path), f"yadg says {type(error).__name__}: {error}", "a whole .mpr file") from error
    said = json.loads(found.attrs.get("original_metadata", "{}"))
    columns = {plain(_OTHER_NAMES.get(name, name)): _in_si(found[name]) for name in _numeric(found)}
    if "time" not in columns:
        raise refused(str(path), f"the columns {', '.join(columns)}", "a column of the time")
    technique = Technique.called(said.get("settings", {}).get("technique", ""))
    source = _source(said, technique, str(yadg.__version__))

    def column(names: Sequence[str]) -> Array | None:
        return next((columns[name] for name in map(plain, names) if name in columns), None)

    return recording(source, technique, columns["time"], column, len(columns["time"]))


def _numeric(found: Any) -> list[str]:
    return [
        str(name)
        for name, values in found.data_vars.items()
        if values.ndim == 1 and values.dtype.kind in "iuf" and not str(name).endswith("_uncertainty")
    ]


def _in_si(values: Any) -> Array:
    unit = factor(str(values.attrs.get("units", "1")))
    return np.asarray(values.values, dtype=np.float64) * (1.0 if unit is None else unit)


def _source(said: Mapping[str, Any], technique: Technique, version: str) -> Source:
    settings, log = said.get("settings", {}), said.get("log", {})
    told = {
        name: str(settings[name]).strip()
        for name in ("comments", "electrode_material", "electrolyte")
        if str(settings.get(name, "")).strip()
    }
    remarks = () if log else ("the file has no log: it does not say when it was recorded",)
    return Source(
        "EC-Lab binary file",
        {"maker": "Bio-Logic", "serial": str(log.get("device_sn", ""))},
        technique=technique.name,
        channel=str(log["channel_number"] + 1) if "channel_number" in log else "",
        began=moment(str(log.get("ole_timestamp", ""))),
        said=told,
        remarks=remarks,
        readers={"yadg": version},
    )
