"""The command that takes a text out of the log for good."""

from collections.abc import Callable
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from commands.base import Change, Command, Context, Decision
from commands.reads import Reads
from commands.redaction.texts import EventTexts, SaidTexts
from domain.base import ProjectId, State, TaskId
from domain.identity.organization.legal_hold import refuse_if_held
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.redaction import ContentRedacted, Redaction, TextInUse, redaction_of
from domain.work.project.state import Project
from domain.work.task.state import Task
from eventstore.append import ConcurrencyConflict

RedactionReason = Annotated[str, Meta(min_length=1, max_length=1_000)]


class RedactContent(Command, frozen=True, kw_only=True):
    """Take a text out of all events of a thing that have it; nobody can ever read it again.

    The text must not be what the thing says now. A legal hold refuses it.
    """

    needs: ClassVar[Permission | None] = Permission.CONTENT_REDACT
    records = (ContentRedacted,)
    reason: RedactionReason
    texts: EventTexts
    note: Callable[[SaidTexts], None]
    """Told what was found, again with each attempt."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        event = await self.texts.event()
        stream = redaction_of(event.stream_id)
        read.new(Redaction, stream)  # before what it changes is looked at
        said = await self.texts.said(event)
        state = await read(said.kind, said.stream)
        if read.version(said.stream) != said.version:
            raise ConcurrencyConflict(said.stream)  # something was recorded in between
        refuse_if_held((await read(Organization, context.organization)).legal_hold)
        self.note(said)
        if not said.texts:
            return []
        if said.in_use:
            raise TextInUse
        redacted = ContentRedacted(
            of=said.stream,
            task_id=_task_of(state, said.stream),
            project_id=_project_of(state, said.stream),
            texts=said.texts,
            reason=self.reason,
        )
        return [Change(stream, [redacted]), *said.left]


def _task_of(state: State, stream: UUID) -> TaskId | None:
    return TaskId(stream) if isinstance(state, Task) else getattr(state, "task_id", None)


def _project_of(state: State, stream: UUID) -> ProjectId | None:
    """Return the project that a thing is, or is in; a task may be moved to another one."""
    if isinstance(state, Project):
        return ProjectId(stream)
    return None if isinstance(state, Task) else getattr(state, "project_id", None)
