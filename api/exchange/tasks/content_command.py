"""The command that imports some lines of one kind beside the tasks, except files."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.exchange.tasks.lines import ReadableContent
from commands.exchange.content_line import (
    CommentLine,
    NumberedComment,
    NumberedRelation,
    NumberedWorklog,
    RelationLine,
    WorklogLine,
)
from commands.exchange.import_comments import ImportComments
from commands.exchange.import_piece import ImportedContents, ImportPiece
from commands.exchange.import_relations import ImportRelations
from commands.exchange.import_worklogs import ImportWorklogs
from domain.base import CommentId, WorklogId


def content_command(
    ids: Sequence[UUID],
    lines: Sequence[ReadableContent],
    note: Callable[[ImportedContents], None],
    common: Mapping[str, Any],
) -> ImportPiece:
    """Return the command that imports *lines*, all of one kind, as things with *ids*."""
    comments: list[NumberedComment] = []
    worklogs: list[NumberedWorklog] = []
    relations: list[NumberedRelation] = []
    for thing, (number, content) in zip(ids, lines, strict=True):
        if isinstance(content, CommentLine):
            comments.append(NumberedComment(number, CommentId(thing), content))
        elif isinstance(content, WorklogLine):
            worklogs.append(NumberedWorklog(number, WorklogId(thing), content))
        elif isinstance(content, RelationLine):
            relations.append(NumberedRelation(number, content))
    if comments:
        return ImportComments(lines=tuple(comments), note=note, **common)
    if worklogs:
        return ImportWorklogs(lines=tuple(worklogs), note=note, **common)
    return ImportRelations(lines=tuple(relations), note=note, **common)
