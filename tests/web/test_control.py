"""What people do to runs over HTTP, on the real service."""

from concurrent.futures import ThreadPoolExecutor

from daemon.web.tokens import Scope
from tests.web.service import CELL, Service, begun, channel, ended, of_core, submission, until


def test_a_run_is_submitted_watched_paused_resumed_and_stopped(service: Service) -> None:
    with service.client() as client:
        made = client.post("/api/v1/runs", json=submission("smu1"))
        assert made.status_code == 201
        run = made.json()["run"]
        assert made.headers["location"] == f"/api/v1/runs/{run}"
        until(lambda: channel(client, "smu1")["latest"]["voltage"])
        paused = client.post(f"/api/v1/runs/{run}/pause")
        assert paused.json()["done"] == "paused"
        until(lambda: channel(client, "smu1")["state"] == "paused")
        client.post(f"/api/v1/runs/{run}/resume")
        until(lambda: channel(client, "smu1")["state"] == "running")
        stopped = client.post(f"/api/v1/runs/{run}/stop", json={"cell": CELL, "reason": "seen enough"})
        assert stopped.status_code == 200
        shown = ended(client, run)
        assert (shown["state"], shown["reason"]) == ("stopped", "seen enough")
        audit = client.get("/api/v1/audit", params={"core": "lab"}).json()["entries"]
        done = [
            (entry["what"], entry["who"].partition(" by ")[0]) for entry in audit if entry["subject"] == run
        ]
        assert done == [("stop", "up"), ("resume", "up"), ("pause", "up"), ("submit", "up")]


def test_a_stop_that_names_another_cell_stops_nothing(service: Service) -> None:
    with service.client() as client, begun(client, "smu2") as run:
        refused = client.post(f"/api/v1/runs/{run}/stop", json={"cell": "Li||Cu, Ti0.87O2/PP"})
        assert refused.status_code == 409
        assert "Li||Cu, PP" in refused.json()["detail"]
        found = of_core(service, "smu2")
        assert (found["run"], found["state"]) == (run, "running")


def test_of_two_people_who_have_seen_the_same_only_one_acts(service: Service) -> None:
    with service.client() as client, begun(client, "smu3") as run:
        until(lambda: channel(client, "smu3")["run"] == run)
        seen = client.get(f"/api/v1/runs/{run}").headers["etag"]
        first = client.post(f"/api/v1/runs/{run}/pause", headers={"if-match": seen})
        second = client.post(f"/api/v1/runs/{run}/pause", headers={"if-match": seen})
        assert first.status_code == 200
        assert second.status_code == 412
        assert second.json()["type"] == "urn:galvanod:problem:stale"


def test_the_same_key_begins_one_run_however_often_it_is_sent(service: Service) -> None:
    with service.client() as client, ThreadPoolExecutor(4) as pool:
        key, body = {"idempotency-key": "once"}, submission("smu4")

        def submit(_: int) -> str:
            return str(client.post("/api/v1/runs", json=body, headers=key).json()["run"])

        assert len(set(pool.map(submit, range(4)))) == 1
        other = client.post("/api/v1/runs", json=submission("smu5"), headers=key)
        assert other.status_code == 422
        assert other.json()["type"] == "urn:galvanod:problem:keyreused"
        labelled = client.post("/api/v1/runs", json=body | {"labels": {"operator": "Ada"}}, headers=key)
        assert labelled.status_code == 422
        run = submit(0)
        client.post(f"/api/v1/runs/{run}/stop", json={"cell": CELL})
        assert submit(0) == run, "also once it is over"


def test_a_scope_allows_what_it_says_and_no_more(service: Service) -> None:
    viewer = service.token_for("viewer", Scope.VIEW)
    submitter = service.token_for("submitter", Scope.SUBMIT)
    with service.client(viewer) as viewing, service.client(submitter) as submitting:
        assert viewing.get("/api/v1/channels").status_code == 200
        refused = viewing.post("/api/v1/runs", json=submission("smu5"))
        assert refused.status_code == 403
        assert "wanted one for submit" in refused.json()["detail"]
        assert submitting.post("/api/v1/safe", json={}).status_code == 403
        assert submitting.get("/api/v1/audit", params={"core": "lab"}).status_code == 403


def test_mistakes_are_told_with_their_line_and_where_in_the_request(service: Service) -> None:
    body = submission("smu5")
    body["protocol"] = str(body["protocol"]).replace("24 h", "24 hors")
    with service.client() as client:
        refused = client.post("/api/v1/runs", json=body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    [mistake] = refused.json()["errors"]
    assert (mistake["line"], mistake["column"], mistake["pointer"]) == (4, 14, "/protocol")
    assert "hors" in mistake["seen"]


SHORT = "protocol: short\nlimits: {voltage: -1 V .. 4.5 V, current: 100 mA}\nsteps:\n  - rest: 150 s\n"


def test_a_queue_is_held_after_a_run_that_did_not_finish_and_goes_on_after_one_that_did(
    service: Service,
) -> None:
    where = "/api/v1/channels/lab/smu5/queue"
    with service.client() as client:
        short = submission("smu5", queue=True) | {"protocol": SHORT}
        with begun(client, "smu5") as first:
            queued = client.post("/api/v1/runs", json=short, headers={"idempotency-key": "q1"})
            again = client.post("/api/v1/runs", json=short, headers={"idempotency-key": "q1"})
            assert (queued.status_code, queued.json()["run"], queued.json()["queued"]) == (202, None, 1)
            assert again.json()["queued"] == 1
            for place in (2, 3):
                assert client.post("/api/v1/runs", json=short).json()["queued"] == place
        found = client.get(where).json()
        assert (found["held"], len(found["waiting"])) == (f"run {first} before it was stopped", 3)
        assert all(each["who"].startswith("up") for each in found["waiting"])
        assert client.delete(f"{where}/{found['waiting'][1]['number']}").status_code == 204
        second = client.post(f"{where}/go-on").json()["run"]
        third = until(lambda: _other(of_core(service, "smu5")["last_run"], second))
        assert ended(client, second)["state"] == ended(client, third)["state"] == "finished"
        assert client.get(where).json() == {"held": None, "waiting": []}


def _other(run: str, than: str) -> str | None:
    return run if run != than else None


def test_a_queue_is_put_in_order_and_held_and_knows_who_saw_it_last(service: Service) -> None:
    where = "/api/v1/channels/lab/smu6/queue"
    with service.client() as client, begun(client, "smu6"):
        for _ in range(3):
            client.post("/api/v1/runs", json=submission("smu6", queue=True))
        one, two, three = (each["number"] for each in client.get(where).json()["waiting"])
        assert client.put(f"{where}/order", json={"order": [three, one, two]}).status_code == 204
        client.delete(f"{where}/{one}")
        assert client.put(f"{where}/order", json={"order": [one, three, two]}).status_code == 412
        assert client.post(f"{where}/hold", json={"reason": "dry room is closed"}).status_code == 204
        found = client.get(where).json()
        assert [each["number"] for each in found["waiting"]] == [three, two]
        assert found["held"].startswith("dry room is closed, says up")
        for number in (two, three):
            client.delete(f"{where}/{number}")
