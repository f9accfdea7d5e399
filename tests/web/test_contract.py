"""The API is what its document says: the one in the repository, on the running service."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
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


def _valid(found: Any) -> Any:
    return found.ok()


OPERATIONS = [_valid(found) for found in api.get_all_operations()]
"""Each a test of its own name: of several of one name, tests that run side by side would run one."""

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


@pytest.mark.parametrize("operation", OPERATIONS, ids=[each.label for each in OPERATIONS])
def test_whatever_is_asked_is_answered_as_documented(operation: Any, service: Service) -> None:
    @settings(
        max_examples=100 if THOROUGH else 5,
        phases=[Phase.explicit, Phase.generate] if THOROUGH else [Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(case=operation.as_strategy())
    def asked(case: "schemathesis.Case[Any]") -> None:
        response = case.call(
            base_url=service.url, headers={"authorization": f"Bearer {service.token}"}, timeout=PATIENCE
        )
        case.validate_response(response, checks=CHECKS)

    asked()
