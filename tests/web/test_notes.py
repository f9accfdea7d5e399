"""Notes people write beside runs: kept by the recorder, with their author, and never erased."""

from daemon.web.tokens import Scope
from tests.web.service import Service, begun, recorded

HOSTILE = '"><script>alert(1)</script> =cmd|calc'


def test_a_note_is_kept_with_its_author_and_its_moment_and_withdrawn_by_name(service: Service) -> None:
    with service.client() as client, begun(client, "smu10") as run:
        at = f"/api/v1/runs/{run}/notes"
        recorded(client, run)
        with service.client(service.token_for("anna", Scope.SUBMIT)) as anna:
            made = anna.post(at, json={"text": f"  {HOSTILE}  ", "time": 12.5})
            assert made.status_code == 201
            assert anna.post(at, json={"text": "of all of it"}).status_code == 201
            assert anna.post(at, json={"text": "   "}).status_code == 422
        with service.client(service.token_for("otto", Scope.VIEW)) as otto:
            assert otto.post(at, json={"text": "no"}).status_code == 403
            assert otto.delete(f"{at}/{made.json()['note']}").status_code == 403
        first, second = client.get(at).json()
        assert (first["text"], first["time"], first["author"]) == (HOSTILE, 12.5, "anna")
        assert (second["text"], second["time"], second["withdrawn_by"]) == ("of all of it", None, None)
        assert client.delete(f"{at}/{first['note']}").status_code == 204
        assert client.delete(f"{at}/-5").status_code == 404
        assert (
            client.get(at).json()[0]["withdrawn_by"] == "up"
        )  # the name of the token that `galvanod up` makes
        kinds = [event["kind"] for event in client.get(f"/api/v1/runs/{run}/events").json()]
        assert (kinds.count("note"), kinds.count("note withdrawn")) == (2, 1)
        assert client.post("/api/v1/runs/none-1/notes", json={"text": "x"}).status_code == 404
