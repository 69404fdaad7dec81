"""What every command on some lines of a file asks first: who imports, how much, and into what.

A file is imported by many such commands, so that none of them holds up others, and one that broke
off goes on where it ended: what has an external id already is left alone.
"""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from commands.base import Command, Context, Decision
from commands.happening import Fingerprint
from commands.reads import Reads
from commands.sight import refuse_unless_sees_id
from domain.base import (
    AttachmentId,
    CommentId,
    DomainError,
    LabelId,
    ProjectId,
    State,
    TaskId,
    WorklogId,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import refuse_if_bulk_too_large
from domain.work.project.state import Project
from domain.work.relation import Relation
from eventstore.claim import CountKey
from eventstore.identifiers import made_at

IMPORTED_AT_ONCE = 50
"""Lines of one command: as many as every plan lets one request change."""
DECIDED_AT_ONCE = 10
"""Lines that are decided before others get their turn."""


class Rehearsed(Struct, frozen=True):
    """What the commands of a dry run would have left for those after them."""

    tasks: Mapping[str, TaskId] = {}
    labels: Mapping[str, LabelId] = {}
    states: Mapping[UUID, State] = {}
    counts: Mapping[CountKey, int] = {}
    comments: Mapping[tuple[TaskId, str], CommentId] = {}
    files: Mapping[tuple[TaskId, str], AttachmentId] = {}
    worklogs: Mapping[tuple[TaskId, str], WorklogId] = {}


class Earlier(NamedTuple):
    """What an import that goes on did before: the streams that it changed, and the relations."""

    streams: frozenset[UUID] = frozenset()
    relations: frozenset[Relation] = frozenset()


NOTHING_EARLIER = Earlier()


class ContentOutcome(NamedTuple):
    """What becomes of a line: it is made, is there already, or is refused."""

    number: int
    made: bool = False
    id: UUID | None = None
    refused: DomainError | None = None


class ImportedContents(NamedTuple):
    """What becomes of some lines, and what a dry run goes on with."""

    outcomes: list[ContentOutcome]
    rehearsed: Rehearsed


def made_since(begun_as: UUID | None, found: UUID | None) -> bool:
    """Return whether an import that goes on, and was *begun_as* this id, made what was *found*."""
    return begun_as is not None and found is not None and made_at(found) >= made_at(begun_as)


class ImportPiece(Command, frozen=True, kw_only=True):
    """Import some lines of a file into a project that the caller sees and that takes tasks."""

    project_id: ProjectId
    lines: tuple[object, ...]
    fingerprint: Fingerprint
    before: Rehearsed = Rehearsed()
    earlier: Earlier = NOTHING_EARLIER
    """What is there already and counts as made."""

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_id(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        refuse_if_bulk_too_large(organization.plan, len(self.lines))
        (await read(Project, self.project_id)).refuse_unless_takes_tasks()
        return await self.decide_lines(read, context)

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        """Return what the lines become that no rule refuses."""
        raise NotImplementedError
