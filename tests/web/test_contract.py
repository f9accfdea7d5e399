"""The API is what its document says: the one in the repository, on the running service."""

import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from daemon.web.app import application
from daemon.web.settings import Settings
from tests.web.service import PATIENCE, ROOT, Service

THOROUGH = bool(os.environ.get("GALVANOD_SOAK"))
"""With `make soak` every corner of the document is tried, not only some."""

DOCUMENT = ROOT / "docs" / "openapi.json"
ENDLESS = "/api/v1/live/events"

api = schemathesis.openapi.from_path(str(DOCUMENT)).exclude(path=ENDLESS)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_document_is_that_of_the_application(tmp_path: Path) -> None:
    app = application(
        Settings({"lab": tmp_path / "core.sock"}, "sqlite:///none.db", tmp_path / "t", tmp_path)
    )
    assert json.loads(DOCUMENT.read_text()) == json.loads(json.dumps(app.openapi())), (
        "the API has changed: `galvanod web --openapi > docs/openapi.json`"
    )


@api.parametrize()
@settings(
    max_examples=100 if THOROUGH else 5,
    phases=[Phase.explicit, Phase.generate] if THOROUGH else [Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_whatever_is_asked_is_answered_as_documented(
    case: "schemathesis.Case[Any]", service: Service
) -> None:
    response = case.call(
        base_url=service.url, headers={"authorization": f"Bearer {service.token}"}, timeout=PATIENCE
    )
    case.validate_response(response, checks=CHECKS)
