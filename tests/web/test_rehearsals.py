"""Rehearsals over the API: the real command, on simulated instruments of its own."""

from typing import Any

import httpx
import pytest

from daemon.web.tokens import Scope
from protocols.library import cell_path, protocol_path
from tests.web.service import REST, TRIPS, Service, of_core, until


def draft(protocol: str, cell: str, **more: object) -> dict[str, object]:
    return {"protocol": protocol, "cell": cell_path(cell).read_text()} | more


def outcome(client: httpx.Client, body: dict[str, object]) -> Any:
    """Rehearse and return what came of it."""
    made = client.post("/api/v1/rehearsals", json=body)
    assert made.status_code == 201, made.text

    def over() -> Any:
        seen = client.get(made.headers["location"]).json()
        return seen if seen["state"] not in ("waiting", "running") else None

    return until(over)


def test_a_spectrum_is_of_the_cell_at_its_own_size(service: Service) -> None:
    """0.305 mS/cm, 25 um thick on 4.022 cm2: 25e-6 / (0.0305 x 4.022e-4) is 2.038 ohm."""
    body = draft(protocol_path("ionic_conductivity").read_text(), "ss_sep_ss_pp", on="biologic")
    body["cell"] = str(body["cell"]).replace("2.011", "4.022")
    with service.client() as client:
        seen = outcome(client, body)
    found = seen["found"]
    assert (seen["state"], found["state"], found["technique"]) == ("done", "finished", "impedance")
    figures = {figure["name"]: figure["value"] for figure in found["figures"]}
    assert figures["bulk_resistance"] == pytest.approx(2.038, rel=0.01)
    assert len(found["impedance"]) > 20
    assert not found["expected"]["extrapolated"]


def test_a_limit_that_would_trip_is_foreseen(service: Service) -> None:
    """The channel itself is asked for nothing: it has no other run than before, and no latch."""
    before = of_core(service, "smu1")
    with service.client() as client:
        seen = outcome(client, draft(TRIPS, "li_cu_pp", core="lab", channel="smu1"))
    after = of_core(service, "smu1")
    assert seen["state"] == "done", seen["problem"]
    trip = seen["found"]["trip"]
    assert seen["family"] == "keithley2450"
    assert (trip["path"], trip["verb"]) == ("1", "plate")
    assert "1.2" in trip["reason"]
    assert (after["last_run"], after["latch"]) == (before["last_run"], None)


def test_what_cannot_be_rehearsed_is_refused_before_anything_starts(service: Service) -> None:
    with service.client() as client:
        wrong = client.post("/api/v1/rehearsals", json=draft(REST.replace("rest: ", "rst: "), "li_cu_pp"))
        assert (wrong.status_code, wrong.json()["errors"][0]["line"]) == (422, 4)
        unlike = client.post("/api/v1/rehearsals", json={"protocol": REST, "cell": "cell: LFP\n"})
        assert unlike.status_code == 409
        assert "no simulated cell is like 'LFP'" in unlike.json()["detail"]
        nowhere = client.post("/api/v1/rehearsals", json=draft(REST, "li_cu_pp", on="land"))
        assert (nowhere.status_code, "only watches" in nowhere.json()["detail"]) == (404, True)


def test_one_ends_when_its_maker_says_so_and_is_nobody_elses(service: Service) -> None:
    with service.client() as client, service.client(service.token_for("eve", Scope.ADMIN)) as eve:
        where = client.post("/api/v1/rehearsals", json=draft(REST, "li_cu_pp")).headers["location"]
        assert eve.get(where).status_code == 404
        assert eve.delete(where).status_code == 404
        assert client.delete(where).status_code == 204
        until(lambda: client.get(where).json()["state"] == "ended")
        viewer = service.client(service.token_for("vera", Scope.VIEW))
        with viewer:
            assert viewer.post("/api/v1/rehearsals", json=draft(REST, "li_cu_pp")).status_code == 403
