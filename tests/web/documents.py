"""The documents that promise what is said, and the check of what was said against them."""

import jsonschema_rs
import yaml

from tests.web.service import ROOT

DOCS = ROOT / "docs"
ASYNC = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())


def check(message: object, schema: str) -> None:
    """Raise where a message is not as its schema in the AsyncAPI document says."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": ASYNC["components"]}
    jsonschema_rs.validate(root, message)
