"""Answers that are already JSON, or records msgspec knows how to write."""

from typing import Any

import msgspec
from starlette.responses import Response


def written(found: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return it as JSON: ten times faster than through a model, and the database's records need no check."""
    return Response(msgspec.json.encode(found), status, headers=headers, media_type="application/json")


PROBLEM: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "A problem document (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    },
    "5XX": {
        "description": "A problem document (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    },
}
"""Every route may answer like this."""
