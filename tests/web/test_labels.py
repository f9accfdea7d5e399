"""The labels of a run, changed afterwards: by the API, the command line and on the page."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import expect
from typer.testing import CliRunner

from daemon.cli import app
from daemon.web.tokens import Scope
from tests.web.browser import NEEDS_CHROMIUM, go, page_of, sound
from tests.web.service import Service, begun, ended, recorded

HOSTILE = '"><img src=x onerror=alert(1)>'
BORN = {"operator": "Ada", "study": "separators"}


@pytest.fixture
def run(service: Service) -> Iterator[str]:
    """A run with labels, as long as it is looked at."""
    with service.client() as client:
        with begun(client, "smu9", labels=BORN) as found:
            recorded(client, found)
            yield found
        ended(client, found)


def put(client: httpx.Client, run: str, labels: object, tag: str | None) -> httpx.Response:
    headers = {} if tag is None else {"if-match": tag}
    return client.put(f"/api/v1/runs/{run}/labels", json={"labels": labels}, headers=headers)


def test_labels_are_changed_by_who_has_seen_them_and_by_name(service: Service, run: str) -> None:
    with service.client(service.token_for("anna", Scope.SUBMIT)) as anna, service.client() as client:
        seen = anna.get(f"/api/v1/runs/{run}/labels")
        assert seen.json() == {"labels": BORN}
        new = {**BORN, "operator": HOSTILE, "batch": "7"}
        done = put(anna, run, new, seen.headers["etag"])
        assert (done.status_code, done.json()) == (200, {"labels": new})
        assert done.headers["etag"] not in ("", seen.headers["etag"])
        late = put(client, run, BORN, seen.headers["etag"])
        assert (late.status_code, "meanwhile" in late.json()["detail"]) == (412, True)
        assert put(client, run, BORN, None).status_code == 428
        assert put(client, run, {"operator": "x"}, done.headers["etag"]).status_code == 409  # no study
        assert put(client, run, {**new, "a": 1}, done.headers["etag"]).status_code == 422
        assert put(client, run, {**new, "a": "\x1b[2J"}, done.headers["etag"]).status_code == 422
        assert put(client, "none-1", {}, "*").status_code == 404
        with service.client(service.token_for("otto", Scope.VIEW)) as otto:
            assert put(otto, run, BORN, "*").status_code == 403
        assert client.get(f"/api/v1/runs/{run}").json()["labels"] == new
        listed = client.get("/api/v1/runs", params={"label": "batch=7"}).json()["runs"]
        assert [each["run"] for each in listed] == [run]
        (event,) = [
            each for each in client.get(f"/api/v1/runs/{run}/events").json() if each["kind"] == "labels"
        ]
        assert event["detail"]["author"] == "anna"
        assert (event["detail"]["before"], event["detail"]["labels"]) == (BORN, new)
        report = client.get(f"/api/v1/runs/{run}/report").text
        assert "<dt>batch</dt><dd>7</dd>" in report
        assert HOSTILE not in report
        assert event["text"] == f"anna: batch is 7; operator is {HOSTILE}, was Ada"


def labelled(service: Service, *words: str) -> dict[str, str]:
    """Say `galvanod label`, and return what the labels are."""
    done = CliRunner().invoke(app, ["label", *words, "--state", str(service.places.state), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, str] = json.loads(done.stdout)["labels"]
    return found


def test_the_command_shows_sets_and_takes_labels_away(service: Service, run: str) -> None:
    assert labelled(service, run) == BORN
    assert labelled(service, run, "batch=8", "operator=Grace") == {**BORN, "operator": "Grace", "batch": "8"}
    assert labelled(service, run, "--remove", "batch") == {**BORN, "operator": "Grace"}
    state = ["--state", str(service.places.state)]
    for words, told in (
        (["--remove", "bach"], "no label 'bach'"),
        (["study=other"], "a study's alone"),
        (["operator"], "not NAME=VALUE"),
    ):
        refused = CliRunner().invoke(app, ["label", run, *words, *state])
        assert refused.exit_code != 0
        assert told in refused.output + str(refused.exception)


@NEEDS_CHROMIUM
async def test_they_are_changed_on_the_page_and_two_people_overwrite_nothing(
    service: Service, run: str
) -> None:
    async with page_of(service.url, service.token, refused=412) as page:
        await go(page, f"#/run/{run}")
        await page.get_by_role("button", name="Change labels").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("What the label says").nth(1)).not_to_be_editable()  # the study's
        await sound(page, "labels")
        await dialog.get_by_label("What the label says").first.fill(HOSTILE)
        await dialog.get_by_role("button", name="One more").click()
        await dialog.get_by_label("What the label says").last.fill("9")
        await dialog.get_by_role("button", name="Save labels").click()
        await expect(dialog).to_contain_text("“9” has no name")
        await dialog.get_by_label("Name of a label").last.fill("batch")
        await dialog.get_by_role("button", name="Save labels").click()
        await expect(page.get_by_role("link", name="batch: 9")).to_be_visible()
        await expect(page.get_by_role("link", name=f"operator: {HOSTILE}")).to_be_visible()
        await page.get_by_role("button", name="Change labels").click()
        with service.client() as client:
            assert put(client, run, {**BORN, "operator": "Grace"}, "*").status_code == 200
        await dialog.get_by_role("button", name="Take away the label batch").click()
        await dialog.get_by_role("button", name="Save labels").click()
        await expect(dialog).to_contain_text("changed meanwhile")
