"""What waits on a channel, in the order somebody has put it in, over a restart."""

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from daemon.errors import StaleError
from daemon.requests import Submit
from daemon.running.journal import Journal
from daemon.running.queues import Queues


async def begin(request: Submit, who: str) -> Mapping[str, Any]:
    return {"run": f"lab-{request.cell}"}


def wanted(cell: str) -> Submit:
    return Submit("protocol", "protocol", cell, "cell", "smu1")


async def test_an_order_outlives_the_core_and_what_comes_later_is_last(tmp_path: Path) -> None:
    async with aclosing(await Journal.open(tmp_path / "journal.db")) as journal:
        queues = Queues(journal, begin)
        for cell in ("a", "b", "c"):
            await queues.add(wanted(cell), "ada", "p", cell)
        await queues.reorder("smu1", [3, 1, 2], "ada")
        await queues.add(wanted("d"), "ada", "p", "d")
        with pytest.raises(StaleError, match="3, 1, 2, 4 wait there now"):
            await queues.reorder("smu1", [1, 2, 3], "ben")
    async with aclosing(await Journal.open(tmp_path / "journal.db")) as journal:
        queues = Queues(journal, begin)
        assert [each.cell for each in queues.line("smu1")] == ["c", "a", "b", "d"]
        assert await queues.go_on("smu1", "ada") == "lab-c"
        queues.hold("smu1", "", "ada")
        assert await queues.go_on("smu1", "ada") == "lab-a"
