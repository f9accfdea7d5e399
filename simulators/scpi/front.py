"""The front of a SCPI instrument: one line in, its acts done in order, one line out."""

from collections.abc import Awaitable, Callable

from simulators.scpi.errors import ScpiError
from simulators.scpi.message import Unit, message
from simulators.scpi.tree import Tree


class Front:
    """Runs lines against a command tree.

    `before` is called before every unit and every refusal, so that what was set until now has acted
    until now; `refuse` takes every error. After a command error the rest of its line is void; after an
    execution error the line goes on (IEEE 488.2 §6.1.7, §11.5.1.1).
    """

    def __init__(self, tree: Tree, before: Callable[[], None], refuse: Callable[[ScpiError], None]) -> None:
        self._tree = tree
        self._before = before
        self._refuse = refuse

    async def answer(self, line: str) -> str | None:
        """Do what a line says; return the answers of its queries joined by `;`, None if it had none."""
        answers: list[str] = []
        said = message(line)
        try:
            for unit in said.units:
                answer = await self._run(unit)
                if answer is not None:
                    answers.append(answer)
            if said.error is not None:
                self._before()
                self._refuse(said.error)
        except ScpiError as error:
            self._refuse(error)
        return ";".join(answers) if answers else None

    async def _run(self, unit: Unit) -> str | None:
        """Do one unit. Raises `ScpiError` for a command error, having refused any other."""
        self._before()
        act = self._tree.find(unit.path, unit.query)
        try:
            result = act(unit.parameters)
            return await result if isinstance(result, Awaitable) else result
        except ScpiError as error:
            if error.is_command_error:
                raise
            self._refuse(error)
            return None
