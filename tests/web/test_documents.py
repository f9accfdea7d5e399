"""What the documents promise of messages and metrics, on the running service."""

import json
import re
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.web.documents import ASYNC, DOCS, check
from tests.web.service import PATIENCE, Service, begun


def test_the_live_stream_is_as_documented(service: Service) -> None:
    with service.client() as client, begun(client, "smu10"):
        url = f"ws{service.url.removeprefix('http')}/api/v1/live"
        with connect(url, additional_headers={"authorization": f"Bearer {service.token}"}) as stream:
            messages = [json.loads(stream.recv(PATIENCE)) for _ in range(4)]
        with client.stream("GET", "/api/v1/live/events") as events:
            line = next(line for line in events.iter_lines() if line.startswith("data: "))
    messages.append(json.loads(line.removeprefix("data: ")))
    for message in messages:
        check(message, message["kind"].capitalize())
    assert [message["kind"] for message in messages] == ["snapshot", "change", "change", "change", "snapshot"]


def test_every_reference_of_the_document_leads_somewhere() -> None:
    def look(found: Any) -> None:
        if isinstance(found, dict):
            if isinstance(reference := found.get("$ref"), str):
                place = ASYNC
                for part in reference.removeprefix("#/").split("/"):
                    place = place[part]
            for value in found.values():
                look(value)
        elif isinstance(found, list):
            for value in found:
                look(value)

    look(ASYNC)


def test_alerts_and_dashboard_ask_for_metrics_there_are(service: Service) -> None:
    with service.client() as client:
        answer = client.get("/metrics")
    there = set(re.findall(r"^# TYPE (\w+)", answer.text, re.M))
    there |= {f"{name}_total" for name in there}
    rules = yaml.safe_load((DOCS / "monitoring" / "alerts.yaml").read_text())
    dashboard = json.loads((DOCS / "monitoring" / "grafana.json").read_text())
    asked = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    asked += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = {name for expression in asked for name in re.findall(r"galvanod_\w+", expression)}
    assert names <= there, names - there
    assert len(names) >= 8


def test_metrics_are_named_as_prometheus_wants_it(service: Service) -> None:
    with service.client() as client:
        families = list(text_string_to_metric_families(client.get("/metrics").text))
    assert len(families) >= 9
    for family in families:
        assert re.fullmatch(r"galvanod_[a-z]+(_[a-z]+)*", family.name), family.name
        assert family.documentation, f"{family.name} says nothing of itself"
        assert not re.search(r"_(ms|minutes|hours|percent|milli\w+|mah|ah)(_|$)", family.name), family.name
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
            assert sample.labels.keys() <= {"core", "channel", "state", "le"}, "of cells there is no end"
