"""The lab's own protocols and cells."""

from pathlib import Path

import pytest

from daemon.errors import ServiceError, StaleError, UnavailableError, UnknownError
from daemon.web.shelf import LARGEST, Shelf
from daemon.web.tokens import Scope
from tests.web.service import Service

CELL = "# mine\ncell: LS-042\narea: 1 cm2\n"


def test_every_version_stays_and_the_file_is_plain(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cells")
    first = shelf.save("ls_042", CELL, "", "ada")
    second = shelf.save("ls_042", CELL.replace("1 cm2", "2 cm2"), first.digest, "ben")
    assert (tmp_path / "cells" / "ls_042.yaml").read_text() == second.text
    assert [(each.number, each.who) for each in shelf.versions("ls_042")] == [(2, "ben"), (1, "ada")]
    assert shelf.version("ls_042", 1) == CELL


def test_what_somebody_wrote_into_the_file_is_a_version_with_the_next_save(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save("a", "one", "", "ada")
    (tmp_path / "a.yaml").write_text("by hand")
    shelf.save("a", "three", shelf.read("a").digest, "ben")
    assert [shelf.version("a", number) for number in (1, 2, 3)] == ["one", "by hand", "three"]
    assert [each.who for each in shelf.versions("a")] == ["ben", "by-hand", "ada"]


def test_two_people_do_not_overwrite_each_other(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    seen = shelf.save("a", "one", "", "ada").digest
    shelf.save("a", "two", seen, "ben")
    for act in (
        lambda: shelf.save("a", "three", seen, "ada"),
        lambda: shelf.save("a", "three", "", "ada"),
        lambda: shelf.rename("a", "b", seen),
        lambda: shelf.delete("a", seen),
    ):
        with pytest.raises(StaleError, match="look at it"):
            act()
    assert shelf.read("a").text == "two"


def test_a_file_takes_its_versions_along_and_what_was_deleted_leaves_no_trap(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save("b", "old b", "", "ada")
    shelf.delete("b", None)
    shelf.save("a", "one", "", "ada")
    shelf.rename("a", "b", None)
    assert shelf.names() == ["b"]
    assert shelf.version("b", 1) == "one"
    with pytest.raises(UnknownError):
        shelf.read("a")


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "", "A", "a/b", ".versions", "a.yaml", "x" * 49, "ä", "a\n"]
)
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ServiceError, match="wanted 1 to 48"):
        Shelf(tmp_path).save(name, CELL, None, "ada")


def test_a_file_that_goes_away_meanwhile_is_left_out_and_one_that_cannot_be_read_is_told_of(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path)
    shelf.save("kept", CELL, "", "ada")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "taken-away")  # listed, and not there to be read
    assert shelf.names() == ["gone", "kept"]
    assert [each.name for each in shelf.every()] == ["kept"]
    (tmp_path / ".versions" / "kept" / "2~ben.yaml").mkdir()
    with pytest.raises(UnavailableError, match=r"2~ben\.yaml: Is a directory"):
        shelf.version("kept", 2)


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="65538 bytes"):
        Shelf(tmp_path).save("a", "ä" * (LARGEST // 2 + 1), None, "ada")


def test_the_library_over_the_api(service: Service) -> None:
    with service.client() as client, service.client(service.token_for("vera", Scope.VIEW)) as vera:
        where = "/api/v1/library/cells/ls_042"
        assert vera.put(where, json={"text": CELL}).status_code == 403
        made = client.put(where, json={"text": CELL}, headers={"if-none-match": "*"})
        assert made.status_code == 200
        again = client.put(where, json={"text": "cell: other\n"}, headers={"if-none-match": "*"})
        assert again.status_code == 412
        etag = client.get(where).headers["etag"]
        assert etag == made.headers["etag"]
        new = client.put(where, json={"text": f"{CELL}note: more\n"}, headers={"if-match": etag})
        assert client.delete(where, headers={"if-match": etag}).status_code == 412
        listed = {each["name"]: each for each in vera.get("/api/v1/library/cells").json()}
        assert (listed["ls_042"]["title"], listed["ls_042"]["own"]) == ("LS-042", True)
        assert listed["li_s_pp"]["own"] is False
        assert client.put("/api/v1/library/cells/li_s_pp", json={"text": CELL}).status_code == 409
        renamed = client.post(
            f"{where}/rename", json={"name": "ls_43"}, headers={"if-match": new.headers["etag"]}
        )
        assert renamed.json()["name"] == "ls_43"
        where = "/api/v1/library/cells/ls_43"
        assert [each["number"] for each in vera.get(f"{where}/versions").json()] == [2, 1]
        assert vera.get(f"{where}/versions/1").json()["text"] == CELL
        assert vera.get(f"{where}/uses").json() == []
        assert client.delete(where).status_code == 204
        assert vera.get(where).status_code == 404
