"""The channel of an EmStat4: a script per step, followed line by line (commands `e`, `Z` and `Y`)."""

import asyncio
import time
from collections.abc import Callable, Sequence

from drivers.base import Program, ProgrammedChannel, ProgramState, ProgramStatus, Record
from drivers.emstat4_errors import NOT_IN_THIS_MODE, error_report
from drivers.emstat4_models import Model
from drivers.emstat4_refusal import refusal
from drivers.emstat4_replies import Replies
from drivers.emstat4_script import script_text
from drivers.errors import LinkError, RefusedError, SilenceError
from drivers.links import Link
from protocols.plan import PlannedStep
from protocols.techniques import Sweep

PAUSE_AFTER_ERROR = 0.06
"""Seconds an instrument wants to be left alone after it reported an error: more than 50 ms."""

LOAD_SECONDS = 5.0
ABORT_SECONDS = 5.0
ATTACH_SECONDS = 1.0
RECORD_SECONDS = 1.0

OPEN_THE_CIRCUIT = "e\ncell_off\non_finished:\ncell_off\n"
"""The shortest script: opening the circuit does not depend on what the last one said."""

MOST_ABORTS = 3


class ScriptChannel(ProgrammedChannel):
    """Runs one script at a time. Whoever listens feeds the same `Replies`, so that no line is lost."""

    def __init__(self, link: Link, model: Model, pause_after_error: float = PAUSE_AFTER_ERROR) -> None:
        self._link = link
        self._model = model
        self._pause = pause_after_error
        self._listening = asyncio.Lock()
        self._state = ProgramState.IDLE
        self._replies: Replies | None = None
        self._abort_answer: str | None = None
        self._over = False  # a script ended since the last abort was answered
        self._opened = time.monotonic()

    def refusal(self, step: PlannedStep) -> str | None:
        return refusal(step, self._model)

    def program(self, tag: str, program: Program) -> str:
        return script_text(tag, program, self._model)

    async def start(self, tag: str, program: Program) -> float:
        reason = self.refusal(program.step)
        if reason is not None:
            raise RefusedError(f"step {program.step.path}: {reason}")
        script = self.program(tag, program)
        async with self._listening:
            if self._state is ProgramState.RUNNING:
                raise RefusedError(f"{self._where}: {self._held_tag} is running; stop it first")
            origin = self._now()
            self._replies = Replies(tag, program, script, origin)
            self._replies.fault = "the start of the script was not confirmed"
            self._state = ProgramState.FAULT
            await self._link.write(f"e\n{script}")
            await self._confirm(self._replies)
            self._replies.fault = None
            self._state = ProgramState.RUNNING
        return origin

    async def attach(self, tag: str, program: Program) -> float | None:
        """Follow a script that is running already, without disturbing it; None if none is.

        A running script refuses to be asked for the version, which is how it is told from none. Its
        packages carry its own time and its own counters, so that only those sent to nobody are lost.
        """
        origin = self._now()
        async with self._listening:
            lines = await self._version_or_refusal()
        answer = next((line for line in lines if line.startswith("t")), "")
        report = error_report(answer)
        if report is None or report.code != NOT_IN_THIS_MODE:
            return None
        await asyncio.sleep(self._pause)
        replies = Replies(tag, program, self.program(tag, program), origin)
        said = lines if lines[0] is answer else lines[1:]  # the first may be the rest of a line
        for line in said:
            if line is not answer:
                replies.take(line)
        if replies.ended:
            return None
        self._replies, self._state = replies, ProgramState.RUNNING
        return origin

    async def _version_or_refusal(self) -> list[str]:
        """Ask for the version; return every line up to the answer, and those that came with it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + ATTACH_SECONDS
        lines: list[str] = []
        await self._link.write("t")
        while loop.time() < end and not any(line.startswith("t") for line in lines):
            lines += await self._link.read_lines(end - loop.time())
        return lines

    async def state(self) -> ProgramStatus:
        if self._state is ProgramState.RUNNING:
            await self._listen(0.0)
        replies = self._replies
        if replies is None or self._state is ProgramState.IDLE:
            return ProgramStatus(ProgramState.IDLE)
        reason = replies.fault if self._state is ProgramState.FAULT else replies.reason
        return ProgramStatus(self._state, replies.tag, reason, replies.limit)

    async def records(self, after: int) -> Sequence[Record]:
        replies = self._replies
        if replies is None:
            return []
        here = replies.records(after)
        if self._state is ProgramState.RUNNING:
            await self._listen(0.0 if here else RECORD_SECONDS)
            here = replies.records(after)
        return here

    async def finish(self) -> None:
        if self._state is not ProgramState.RUNNING or self._replies is None:
            return
        self._replies.finishing = True
        # Leaving the loop would go on with a sweep's next leg: a sweep is aborted as a whole.
        sweeping = isinstance(self._replies.technique, Sweep)
        await self._link.write("Z" if sweeping else "Y")

    async def off(self) -> None:
        try:
            await self._disconnect()
        except LinkError:
            await self._disconnect()
        self._state = ProgramState.IDLE

    async def abort(self) -> None:
        """Stop whatever runs, and come back in step with the instrument, whatever it was saying."""
        message = "\nZ"  # the empty line ends half a command that may have been sent before
        for _ in range(MOST_ABORTS):
            self._abort_answer = None
            await self._link.write(message)
            await self._hear_until(lambda: self._abort_answer is not None, "answer to Z")
            report = error_report(self._abort_answer or "")
            if report is not None and report.code == NOT_IN_THIS_MODE:
                await asyncio.sleep(self._pause)
                return
            await self._hear_until(lambda: self._over, "end of the aborted script")
            message = "Z"
        raise LinkError(f"{self._where}: scripts keep running after {MOST_ABORTS} aborts")

    async def _disconnect(self) -> None:
        await self.abort()
        async with self._listening:
            await self._link.write(OPEN_THE_CIRCUIT)
            await self._confirm(None)
            await self._wait_for_its_end()

    async def _confirm(self, replies: Replies | None) -> None:
        """Wait for the script to be taken: `e`, alone or joined to the first line of its output."""
        line = await self._link.read(LOAD_SECONDS)
        while line == "" or line.startswith("Y"):  # a `Y` that came when its script was just over
            line = await self._link.read(LOAD_SECONDS)
        report = error_report(line)
        if report is not None:
            await asyncio.sleep(self._pause)
            sentence = report.sentence("" if replies is None else replies.script)
            raise RefusedError(f"{self._where} refused the script: {sentence}")
        if not line.startswith("e"):
            raise LinkError(f"{self._where}: {line[:60]!r} in answer to a script; wanted e")
        if replies is not None and line != "e":
            replies.take(line[1:])

    async def _wait_for_its_end(self) -> None:
        """Wait for the end of the script that opens the circuit; it says nothing else."""
        line = await self._link.read(ABORT_SECONDS)
        report = error_report(line)
        if report is not None:
            raise RefusedError(f"{self._where}: opening the circuit: {report.sentence(OPEN_THE_CIRCUIT)}")
        if line:
            raise LinkError(f"{self._where}: {line[:60]!r} while opening the circuit; wanted an empty line")

    async def _listen(self, seconds: float) -> None:
        """Take the lines that are here. A garbled one is told after all others were taken."""
        async with self._listening:
            garbled = self._take_all(await self._link.read_lines(seconds))
        if garbled is not None:
            raise LinkError(f"{self._where}: {garbled}") from garbled

    async def _hear_until(self, happened: Callable[[], bool], wanted: str) -> None:
        """Take lines until something happened; garbled ones no longer matter to anybody."""
        loop = asyncio.get_running_loop()
        end = loop.time() + ABORT_SECONDS
        while not happened():
            if loop.time() >= end:
                raise SilenceError(f"{self._where}: no {wanted} within {ABORT_SECONDS:g} s")
            async with self._listening:
                if not happened():
                    self._take_all(await self._link.read_lines(end - loop.time()))

    def _take_all(self, lines: Sequence[str]) -> LinkError | None:
        """Take every line; return what was wrong with the first garbled one."""
        garbled = None
        for line in lines:
            try:
                self._take(line)
            except LinkError as error:
                garbled = garbled or error
        return garbled

    def _take(self, line: str) -> None:
        if line.startswith("Z"):
            self._abort_answer, self._over = line, False
            return
        if line.startswith("Y"):
            return  # whether there was a loop to leave shows in what the script says next
        self._over = self._over or line == "" or line.startswith("!")
        if self._state is ProgramState.RUNNING and self._replies is not None:
            self._replies.take(line)
            if self._replies.ended:
                faulty = self._replies.fault is not None
                self._state = ProgramState.FAULT if faulty else ProgramState.FINISHED

    def _now(self) -> float:
        """Return the channel's time: the host's seconds since opening, never behind an instrument's."""
        reached = 0.0 if self._replies is None else self._replies.last_time
        return max(time.monotonic() - self._opened, reached)

    @property
    def _held_tag(self) -> str:
        return "nothing" if self._replies is None else self._replies.tag

    @property
    def _where(self) -> str:
        return f"{self._model.name} at {self._link.address}"
