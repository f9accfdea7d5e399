"""A run as an RO-Crate 1.1: the folder, and what it is in terms that archives of data understand.

https://w3id.org/ro/crate/1.1: a metadata descriptor, the root data set, each file, and how they came
about: one action, with the instrument and the times.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daemon.reading.open_data import ABOUT, Leaf, Report, digest, leaves, whole, write_folder
from daemon.reading.results import Results, RunRecord

DESCRIPTOR = "ro-crate-metadata.json"
CONTEXT = ("https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"})
BDF = "https://github.com/battery-data-alliance/battery-data-format"

Entity = dict[str, Any]


def write_crate(
    results: Results, run: str, folder: Path, licence: str | None = None, report: Report = lambda rows: None
) -> int:
    """Write the run as a crate into a new folder; `licence` is a URL or an SPDX name such as CC-BY-4.0.

    Returns how many files; raises `BusyError` where something is there already.
    """

    def fill(into: Path) -> None:
        inner = into / "run"
        write_folder(results, run, inner, report)
        (inner / "SHA256SUMS").unlink()
        for path in list(inner.iterdir()):
            path.rename(into / path.name)
        inner.rmdir()
        crate = {"@context": list(CONTEXT), "@graph": graph(results, run, into, licence)}
        text = json.dumps(crate, indent=2, ensure_ascii=False) + "\n"
        (into / DESCRIPTOR).write_text(text, encoding="utf-8")

    return whole(folder, fill)


def graph(results: Results, run: str, folder: Path, licence: str | None) -> list[Entity]:
    """Return every entity of the crate whose files stand in `folder`."""
    record = results.run(run)
    files = [
        _file(folder, leaf) for leaf in (*leaves(results, run), Leaf(ABOUT, "what is what", "text/markdown"))
    ]
    licence_ = _licence(licence)
    return [
        {
            "@id": DESCRIPTOR,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "identifier": run,
            "name": f"{record.protocol} on {record.cell}",
            "description": _description(record),
            "datePublished": (record.ended or record.started or "")[:10],
            "license": {"@id": licence_["@id"]},
            "hasPart": [{"@id": file["@id"]} for file in files],
            "mentions": [{"@id": "#measurement"}],
        },
        *files,
        licence_,
        *_origin(record, [file["@id"] for file in files]),
    ]


def _file(folder: Path, leaf: Leaf) -> Entity:
    path = folder / leaf.name
    entity: Entity = {
        "@id": leaf.name,
        "@type": "File",
        "name": leaf.what,
        "encodingFormat": leaf.media_type,
        "contentSize": str(path.stat().st_size),
        "sha256": digest(path),
    }
    return entity | ({"conformsTo": {"@id": BDF}} if leaf.name.endswith(".bdf.csv") else {})


def _description(record: RunRecord) -> str:
    kind = "a simulated cell" if record.simulated else "a cell"
    return (
        f"Electrochemical measurement of {kind}, {record.cell}, by the protocol {record.protocol} "
        f"on channel {record.channel}; {record.state}: {record.reason}."
    )


def _licence(licence: str | None) -> Entity:
    if licence is None:
        return {
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "no licence was given",
            "description": "Ask whoever made the measurement before using it.",
        }
    url = licence if "://" in licence else f"https://spdx.org/licenses/{licence}"
    return {"@id": url, "@type": "CreativeWork", "name": licence}


def _origin(record: RunRecord, files: Sequence[str]) -> list[Entity]:
    instrument = " ".join(
        text for name in ("maker", "model") if (text := record.instrument.get(name))
    ) or str(record.driver)
    return [
        {
            "@id": "#measurement",
            "@type": "CreateAction",
            "name": f"{record.protocol} on {record.cell}",
            "startTime": record.started,
            "endTime": record.ended,
            "instrument": [{"@id": "#instrument"}, {"@id": "#galvanod"}],
            "object": {"@id": "#cell"},
            "result": [{"@id": file} for file in files],
        },
        {
            "@id": "#instrument",
            "@type": "IndividualProduct",
            "name": instrument,
            "serialNumber": record.instrument.get("serial", ""),
        },
        {
            "@id": "#galvanod",
            "@type": "SoftwareApplication",
            "name": "galvanod",
            "version": record.versions.get("galvanod", ""),
        },
        {
            "@id": "#cell",
            "@type": "Thing",
            "name": record.cell,
            "additionalProperty": [
                {"@type": "PropertyValue", "name": name, "value": str(value)}
                for name, value in record.cell_facts.items()
                if isinstance(value, str | int | float)
            ],
        },
    ]
