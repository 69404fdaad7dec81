"""What is beside the tasks of a file: comments, time, files, relations, a line for each."""

import datetime
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from commands.exchange.task_line import Mentioned
from commands.planning.worklog import Minutes, Note
from commands.work.attachment import Sha256
from commands.work.comment import CommentBody
from commands.work.project import ProjectKey
from commands.work.task_values import DueTime
from domain.base import AttachmentId, CommentId, WorklogId
from domain.name import Name
from domain.work.attachment import ScanState
from domain.work.relation import RelationKind
from domain.work.task.imported import ExternalId


class _ContentLine(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", tag_field="type"
):
    """A line whose `type` says what it is; a line without one is a task."""


class CommentLine(_ContentLine, frozen=True, kw_only=True, tag="comment"):
    """A comment on the task that the file, or the project, knows as ``task``.

    ``parent`` is the comment that began its thread. Of those whom it mentions, only members are
    kept.
    """

    id: ExternalId
    task: ExternalId
    parent: ExternalId | None = None
    body: CommentBody
    mentions: Mentioned = ()
    occurred_at: DueTime | None = None
    author: Name | None = None


class RelationLine(_ContentLine, frozen=True, kw_only=True, tag="relation"):
    """How a task of the project is related to another one.

    That can be in another project, whose key is ``to_project`` unless the key of the task tells it.
    """

    task: ExternalId
    kind: RelationKind
    to: ExternalId
    to_project: ProjectKey | None = None


class FileLine(_ContentLine, frozen=True, kw_only=True, tag="file"):
    """A file at the task that the file of lines, or the project, knows as ``task``.

    Its contents are in the archive under ``path``. ``size`` and ``sha256`` are compared with them.
    """

    id: ExternalId
    task: ExternalId
    name: Annotated[str, Meta(min_length=1, max_length=1_000)]
    media_type: Annotated[str, Meta(max_length=200)] | None = None
    size: Annotated[int, Meta(ge=0)] | None = None
    sha256: Sha256 | None = None
    path: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None
    occurred_at: DueTime | None = None
    author: Name | None = None


class WorklogLine(_ContentLine, frozen=True, kw_only=True, tag="worklog"):
    """Time that ``author`` spent on the task that the file, or the project, knows as ``task``."""

    id: ExternalId
    task: ExternalId
    minutes: Minutes
    date: datetime.date
    note: Note | None = None
    occurred_at: DueTime | None = None
    author: Name | None = None


ContentLine = CommentLine | WorklogLine | FileLine | RelationLine


class NumberedComment(NamedTuple):
    """A comment with its number in the file, from 1, and the id that it would get."""

    number: int
    new_id: CommentId
    line: CommentLine


class NumberedWorklog(NamedTuple):
    """An entry of time with its number in the file, and the id that it would get."""

    number: int
    new_id: WorklogId
    line: WorklogLine


class FileContent(NamedTuple):
    """What was found about the contents of a file, and the name that it gets."""

    name: str
    media_type: str
    size: int
    sha256: str
    state: ScanState


class NumberedFile(NamedTuple):
    """A file with its number among the lines, and the id that it would get."""

    number: int
    new_id: AttachmentId
    line: FileLine
    content: FileContent


class NumberedRelation(NamedTuple):
    """A relation with its number in the file, from 1."""

    number: int
    relation: RelationLine
