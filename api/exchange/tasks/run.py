"""Runs an import: some lines at a time, each with its outcome, until the file ends.

A line whose parent comes later in the file waits until the others are imported.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from api.exchange.tasks.lines import Readable, Unreadable
from api.http.caller import Caller
from api.http.request import ApiRequest
from api.http.run_command import as_caller
from commands.base import Context
from commands.exchange.import_tasks import (
    IMPORTED_AT_ONCE,
    Imported,
    ImportTasks,
    LineOutcome,
    Rehearsed,
)
from commands.exchange.task_line import NumberedLine
from commands.receipt import Receipt
from domain.base import LabelId, ProjectId, TaskId
from domain.name import folded
from domain.work.task.imported import DuplicateId, UnknownParent
from domain.work.task.state import LEVELS_MAX
from eventstore.identifiers import new_id

LINES_MAX = 100_000
"""Tasks of one file."""
PARENTLESS_MAX = 10_000
"""Lines that wait for their parents."""

_encode = msgspec.json.Encoder().encode
Line = Readable | Unreadable
Item = dict[str, Any]


class ImportRun:
    """One import of a file into a project, for its caller."""

    def __init__(self, request: ApiRequest, project_id: ProjectId, lines: Iterator[Line]) -> None:
        self._request, self._project_id, self._lines = request, project_id, lines
        self.correlation_id = request.client_info.request_id
        self._seen: set[bytes] = set()
        self._waiting: list[NumberedLine] = []
        self._rehearsed = Rehearsed()
        self.counts = {"created": 0, "unchanged": 0, "refused": 0}

    async def outcomes(self) -> AsyncIterator[list[Item]]:
        """Yield what becomes of the lines, some at a time.

        :raises DomainError: the caller may import nothing, or not into this project.
        """
        while lines := await asyncio.to_thread(_some, self._lines):
            yield await self._imported(lines)
        for _ in range(LEVELS_MAX):
            waiting, self._waiting = self._waiting, []
            for at in range(0, len(waiting), IMPORTED_AT_ONCE):
                yield await self._run(waiting[at : at + IMPORTED_AT_ONCE])
            if len(self._waiting) == len(waiting):
                break
        yield [self._refused(each.number, UnknownParent.code) for each in self._waiting]

    def summary(self, **about: Any) -> Item:
        """Return the last line of the answer."""
        return {**about, **self.counts, "correlationId": self.correlation_id}

    async def _imported(self, lines: list[Line]) -> list[Item]:
        refused: list[Item] = []
        good: list[NumberedLine] = []
        for line in lines:
            if isinstance(line, Unreadable):
                refused.append(self._refused(line.number, "invalid_line", line.detail))
            elif not self._is_first(line.task.id):
                refused.append(self._refused(line.number, DuplicateId.code))
            else:
                good.append(NumberedLine(line.number, TaskId(new_id()), line.task))
        return sorted([*refused, *await self._run(good)], key=lambda item: item["line"])

    def _is_first(self, external_id: str) -> bool:
        digest = hashlib.blake2b(external_id.encode(), digest_size=16).digest()
        first = digest not in self._seen
        self._seen.add(digest)
        return first

    async def _run(self, lines: list[NumberedLine]) -> list[Item]:
        """Import some lines, and return what became of those that need not wait."""
        if not lines:
            return []
        names = {folded(name) for each in lines for name in each.task.labels}
        noted: list[Imported] = []
        command = ImportTasks(
            project_id=self._project_id,
            lines=tuple(lines),
            new_labels={name: LabelId(new_id()) for name in names},
            fingerprint=self._request.api.system.log.keys.fingerprint,
            note=noted.append,
            before=self._rehearsed,
        )
        receipt, _ = await as_caller(self._request, lambda caller: self._handled(command, caller))
        self._rehearsed = noted[-1].rehearsed
        items = [self._item(each, receipt) for each in noted[-1].outcomes]
        return [each for each in items if each is not None]

    async def _handled(self, command: ImportTasks, caller: Caller) -> tuple[Receipt, Context]:
        context = replace(
            self._request.context(caller), idempotency=None, correlation_id=self.correlation_id
        )
        return await self._request.api.system.commands.handle(command, context), context

    def _item(self, outcome: LineOutcome, receipt: Receipt) -> Item | None:
        """Return an outcome as clients read it; None for a line that waits for its parent."""
        line, refused = outcome.line, outcome.refused
        if isinstance(refused, UnknownParent) and len(self._waiting) < PARENTLESS_MAX:
            self._waiting.append(line)
            return None
        if refused is not None:
            return self._refused(line.number, refused.code, str(refused))
        item: Item = {"line": line.number}
        if outcome.found is not None:
            self.counts["unchanged"] += 1
            return {**item, "outcome": "unchanged", "id": outcome.found}
        self.counts["created"] += 1
        item["outcome"] = "created"
        if not self._request.is_dry_run():
            item |= {"id": line.task_id, "key": receipt.states[line.task_id].state.key}
        return item

    def _refused(self, number: int, code: str, detail: str | None = None) -> Item:
        self.counts["refused"] += 1
        item: Item = {"line": number, "outcome": "refused", "code": code}
        return item if detail is None else {**item, "detail": detail}


def _some(lines: Iterator[Line]) -> list[Line]:
    return list(islice(lines, IMPORTED_AT_ONCE))
