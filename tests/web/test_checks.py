"""Checks by many, by one who floods, and of what is too large."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from daemon.control import listening
from daemon.errors import UnknownError
from daemon.requests import LARGEST_STUDY, Check, Request, Status, StudyDraft
from daemon.web.checks import MOST_EACH
from daemon.web.cores import Cores
from daemon.web.problem import HttpError
from tests.web.service import Service


class Thinking:
    """A core that answers checks only when it is let; whatever else it is asked, at once."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.asked: list[str] = []

    async def answer(self, request: Request, who: str) -> Any:
        self.asked.append(request.by)
        if request.by == "eve":
            await self.may.wait()
        return "checked"


async def test_who_floods_a_core_with_checks_has_one_under_way_and_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    core, path = Thinking(), tmp_path / "core.sock"
    draft = StudyDraft(study="", study_file="study", by="eve")
    async with listening(path, core.answer), AsyncExitStack() as leaving:
        leaving.callback(core.may.set)
        cores = Cores({"lab": path})
        flood = [asyncio.create_task(cores.ask("lab", draft)) for _ in range(MOST_EACH)]
        one = Check("", "protocol", "", "cell", "smu1", by="ada")
        assert await cores.ask("lab", one) == "checked"
        assert await cores.ask("lab", Status(by="ada")) == "checked"
        with pytest.raises(HttpError, match=r"4 checks of 'eve' are under way") as refused:
            await cores.ask("lab", draft)
        assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "1"})
        assert core.asked.count("eve") == 1
        core.may.set()
        assert await asyncio.gather(*flood) == ["checked"] * MOST_EACH
        assert await cores.ask("lab", draft) == "checked"  # there is room again


@pytest.mark.parametrize("run", ["lab-²", "lab-", "cellar-1", "lab-x", "lab"])
def test_a_name_that_is_no_runs_belongs_to_no_core(run: str) -> None:
    cores = Cores({"lab": Path("core.sock")})
    assert (cores.of_run("lab-12"), cores.of_study("lab-s3")) == ("lab", "lab")
    with pytest.raises(UnknownError, match=r"called lab-1, …"):
        cores.of_run(run)
    with pytest.raises(UnknownError, match=r"called lab-s1, …"):
        cores.of_study(run.replace("-", "-s"))


def test_a_study_may_be_as_large_as_is_said_and_a_byte_more_is_told_so(service: Service) -> None:
    study = "study: large\n"
    quoted = '# "quoted"\\' + "\n"  # each of its quotes takes two bytes on the way
    text = quoted * (60_000 // len(quoted))
    cells = {f"cell_{i}": text for i in range(4)}
    left = LARGEST_STUDY - len(study) - sum(map(len, cells.values()))
    cells["last"] = "#" * left
    with service.client() as client:
        largest = client.post("/api/v1/studies/check", json={"study": study, "cells": cells})
        cells["last"] += "#"
        larger = client.post("/api/v1/studies/check", json={"study": study, "cells": cells})
    assert "bytes together" not in largest.json()["problem"]["detail"]  # only that it has no runs
    told = larger.json()["problem"]["detail"]
    assert "262145 bytes together" in told
    assert "at most 262144 (256 KiB)" in told
