"""Runs an import: some lines at a time, each with its outcome, until the file ends.

A task whose parent comes later in the file waits until the others are imported. Comments, logged
time, files and relations come behind all tasks: the lines are read once more for each of these
kinds that there is.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from api.exchange.tasks.archive import WorkArchive
from api.exchange.tasks.attaching import Attaching, RefusedContent
from api.exchange.tasks.content_command import content_command
from api.exchange.tasks.lines import Line, ReadableContent, Unreadable
from api.http.caller import Caller
from api.http.request import ApiRequest
from api.http.run_command import as_caller
from commands.base import Command, Context
from commands.exchange.content_line import (
    CommentLine,
    ContentLine,
    FileLine,
    NumberedFile,
    RelationLine,
    WorklogLine,
)
from commands.exchange.import_files import ImportFiles
from commands.exchange.import_piece import (
    IMPORTED_AT_ONCE,
    ContentOutcome,
    ImportedContents,
    Rehearsed,
    made_since,
)
from commands.exchange.import_tasks import (
    SKIPPED,
    Existing,
    Imported,
    ImportTasks,
    LineOutcome,
)
from commands.exchange.task_line import NumberedLine
from commands.receipt import Receipt
from domain.base import AttachmentId, LabelId, ProjectId, TaskId
from domain.name import folded
from domain.work.task.imported import DuplicateId, UnknownParent
from domain.work.task.state import LEVELS_MAX
from eventstore.identifiers import new_id

LINES_MAX = 100_000
"""Tasks of one file."""
PARENTLESS_MAX = 10_000
"""Lines that wait for their parents."""

_encode = msgspec.json.Encoder().encode
Item = dict[str, Any]


class ImportRun:
    """One import of a file into a project, for its caller."""

    def __init__(
        self,
        request: ApiRequest,
        project_id: ProjectId,
        read: Callable[[], Iterator[Line]],
        archive: WorkArchive | None = None,
        existing: Existing = SKIPPED,
    ) -> None:
        """*read* reads the lines from their beginning; *archive* has the contents of files.

        What one that goes on made before it was interrupted counts as created.
        """
        self._existing = existing
        self._request, self._project_id, self._read = request, project_id, read
        self._kinds: set[type[ContentLine]] = set()
        self.correlation_id = request.client_info.correlation
        self._seen: set[bytes] = set()
        self._waiting: list[NumberedLine] = []
        self._rehearsed = Rehearsed()
        self._attaching = Attaching(request, archive, self._decide_on_file)
        self.counts = dict.fromkeys(
            ("created", *(("updated",) if existing.updates else ()), "unchanged", "refused"), 0
        )

    async def outcomes(self) -> AsyncIterator[list[Item]]:
        """Yield what becomes of the lines, some at a time.

        :raises DomainError: the caller may import nothing, or not into this project.
        """
        tasks = self._tasks()
        while lines := await asyncio.to_thread(_some, tasks):
            yield await self._imported(lines)
        for _ in range(LEVELS_MAX):
            waiting, self._waiting = self._waiting, []
            for at in range(0, len(waiting), IMPORTED_AT_ONCE):
                yield await self._run(waiting[at : at + IMPORTED_AT_ONCE])
            if len(self._waiting) == len(waiting):
                break
        yield [self._refused(each.number, UnknownParent.code) for each in self._waiting]
        for kind in (CommentLine, WorklogLine, FileLine, RelationLine):
            if kind in self._kinds:
                contents = _of_kind(self._read(), kind)
                while some := await asyncio.to_thread(_some_contents, contents):
                    async for items in self._run_contents(some):
                        yield items

    def summary(self, **about: Any) -> Item:
        """Return the last line of the answer."""
        return {**about, **self.counts, "correlationId": self.correlation_id}

    def _tasks(self) -> Iterator[Line]:
        """Yield what is a task, or nothing that can be read, and note what else there is."""
        for line in self._read():
            if isinstance(line, ReadableContent):
                self._kinds.add(type(line.content))
            else:
                yield line

    async def _imported(self, lines: list[Line]) -> list[Item]:
        refused: list[Item] = []
        good: list[NumberedLine] = []
        for line in lines:
            if isinstance(line, ReadableContent):
                continue
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
        labels = {name: LabelId(new_id()) for name in names}
        command = ImportTasks(
            lines=tuple(lines),
            new_labels=labels,
            existing=self._existing,
            note=noted.append,
            **self._common(),
        )
        receipt = await self._handle(command)
        self._rehearsed = noted[-1].rehearsed
        items = [self._item(each, receipt) for each in noted[-1].outcomes]
        return [each for each in items if each is not None]

    async def _run_contents(self, lines: list[ReadableContent]) -> AsyncIterator[list[Item]]:
        """Import some lines beside the tasks, and yield what became of each."""
        # Those of one millisecond are ordered by chance, but contents are shown by their ids.
        ids = sorted(new_id() for _ in lines)
        if isinstance(lines[0].content, FileLine):
            for one, (number, content) in zip(ids, lines, strict=True):
                assert isinstance(content, FileLine)  # noqa: S101 - all are of one kind
                yield [await self._attached(number, AttachmentId(one), content)]
            return
        noted: list[ImportedContents] = []
        await self._handle(content_command(ids, lines, noted.append, self._common()))
        yield self._content_items(noted[-1])

    async def _attached(self, number: int, attachment_id: AttachmentId, line: FileLine) -> Item:
        try:
            found = await self._attaching.attach(number, attachment_id, line)
        except RefusedContent as refused:
            return self._refused(number, refused.code, str(refused))
        return self._content_items(found)[0]

    async def _decide_on_file(self, file: NumberedFile, trying: bool) -> ImportedContents:
        noted: list[ImportedContents] = []
        command = ImportFiles(lines=(file,), note=noted.append, **self._common())
        await self._handle(command, trying=trying)
        return noted[-1]

    def _common(self) -> dict[str, Any]:
        """Return what all commands of the import have."""
        return {
            "project_id": self._project_id,
            "fingerprint": self._request.api.system.log.keys.fingerprint,
            "before": self._rehearsed,
            "earlier": self._existing.earlier,
        }

    def _content_items(self, found: ImportedContents) -> list[Item]:
        """Return what became of some lines as clients read it, and go on from there."""
        self._rehearsed = found.rehearsed
        return [self._content_item(each) for each in found.outcomes]

    def _content_item(self, outcome: ContentOutcome) -> Item:
        if outcome.refused is not None:
            return self._refused(outcome.number, outcome.refused.code, str(outcome.refused))
        what = (
            "created"
            if outcome.made or made_since(self._existing.begun_as, outcome.id)
            else "unchanged"
        )
        self.counts[what] += 1
        item: Item = {"line": outcome.number, "outcome": what}
        is_known = outcome.id is not None and not (outcome.made and self._request.is_dry_run())
        return item | {"id": outcome.id} if is_known else item

    async def _handle(self, command: Command, *, trying: bool = False) -> Receipt:
        """Run a command for the caller; only *trying* records nothing."""

        async def handled(caller: Caller) -> tuple[Receipt, Context]:
            context = replace(
                self._request.context(caller), idempotency=None, correlation_id=self.correlation_id
            )
            if trying:
                context = replace(context, dry_run=True)
            return await self._request.api.system.commands.handle(command, context), context

        receipt, _ = await as_caller(self._request, handled)
        return receipt

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
            changed = {"fields": outcome.changed} if outcome.changed else {}
            item["outcome"] = "updated" if changed else self._earlier(outcome.found)
            self.counts[item["outcome"]] += 1
            return {**item, "id": outcome.found, **changed}
        self.counts["created"] += 1
        item["outcome"] = "created"
        if not self._request.is_dry_run():
            item |= {"id": line.task_id, "key": receipt.states[line.task_id].state.key}
        return item

    def _earlier(self, found: TaskId) -> Literal["created", "updated", "unchanged"]:
        """Return what became of a task that is left alone, by what the import did before."""
        existing = self._existing
        if made_since(existing.begun_as, found):
            return "created"
        is_changed = existing.updates and found in existing.earlier.streams
        return "updated" if is_changed else "unchanged"

    def _refused(self, number: int, code: str, detail: str | None = None) -> Item:
        self.counts["refused"] += 1
        item: Item = {"line": number, "outcome": "refused", "code": code}
        return item if detail is None else {**item, "detail": detail}


def _some(lines: Iterator[Line]) -> list[Line]:
    return list(islice(lines, IMPORTED_AT_ONCE))


def _some_contents(lines: Iterator[ReadableContent]) -> list[ReadableContent]:
    return list(islice(lines, IMPORTED_AT_ONCE))


def _of_kind(lines: Iterator[Line], kind: type[ContentLine]) -> Iterator[ReadableContent]:
    for line in lines:
        if isinstance(line, ReadableContent) and isinstance(line.content, kind):
            yield line
