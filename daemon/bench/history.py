"""Earlier benches on this machine, to compare with: one JSON object a line."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def before(path: Path) -> dict[str, float]:
    """Return the latest value of each row of earlier benches; empty where there are none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    values: dict[str, float] = {}
    for line in lines:
        try:
            for row in json.loads(line)["rows"]:
                if row["value"] is not None:
                    values[row["name"]] = row["value"]
        except (ValueError, KeyError, TypeError):  # half a line, of a bench that was cut short
            continue
    return values


def remember(path: Path, result: dict[str, Any]) -> None:
    """Add a bench."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": datetime.now(UTC).isoformat(), **result}) + "\n")
