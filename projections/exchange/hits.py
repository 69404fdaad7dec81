"""Hits of a search: texts that were found, as they are now, with their words highlighted."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from domain.base import CommentId, OrgId, ProjectId, TaskId
from domain.work.project.state import Project
from projections.base import View, document_id
from projections.engine.find import ReadModels, full_page
from projections.engine.query import ListSlice, list_slice
from projections.exchange.keys_named import (
    NO_PROJECTS_NAMED,
    NamedProjects,
    found_by,
    lookups_of,
    words_for,
)
from projections.exchange.search import SearchedTextView
from projections.exchange.words import SearchWords, excerpt, words_of

_AT_ONCE = 500
"""How many texts are looked at at most at a time."""
_encode = msgspec.json.Encoder().encode
_found = msgspec.json.Decoder(SearchedTextView).decode


class ExcerptPart(View, frozen=True, kw_only=True):
    """A part of an excerpt; ``found`` is whether it is a word that was searched for."""

    text: str
    found: bool


class Excerpt(View, frozen=True, kw_only=True):
    """Where words were found: the text around the first of them, in parts."""

    field: Literal["key", "title", "description", "comment"]
    parts: list[ExcerptPart]


class SearchHit(View, frozen=True, kw_only=True):
    """A task whose key, title or description was found, or a comment on it."""

    task_id: TaskId
    comment_id: CommentId | None
    project_id: ProjectId
    key: str
    title: str
    excerpts: list[Excerpt]


class _Task(Struct, frozen=True, rename="camel"):
    id: TaskId
    key: str
    project_id: ProjectId
    number: int
    title: str
    description: str | None


class _Comment(Struct, frozen=True):
    body: str


_task = msgspec.json.Decoder(_Task).decode
_comment = msgspec.json.Decoder(_Comment).decode


class Sight(NamedTuple):
    """The projects that somebody sees, and the private ones that they do not see."""

    projects: Mapping[ProjectId, Project]
    hidden: frozenset[ProjectId]
    named: NamedProjects = NO_PROJECTS_NAMED
    """Which of them the words of the search name."""


async def hits_of(  # noqa: PLR0913, PLR0917 - the list, who asks for it, and its page
    models: ReadModels,
    org_id: OrgId,
    asked: SearchWords,
    sight: Sight,
    limit: int,
    after: int | None = None,
) -> ListSlice:
    """Return a page of what somebody finds, newest first, created before *after*.

    Texts are compared as they are now, and shown if their tasks are now where that person sees
    them. Each time that a page is not full yet, four times as many are looked at.
    """
    lookups = await lookups_of(models, org_id, asked, sight.named)
    at_once = limit + 1

    async def find(_: int, below: int | None) -> ListSlice:
        nonlocal at_once
        page = await found_by(models, org_id, lookups, sight.hidden, at_once, below)
        at_once = min(_AT_ONCE, 4 * at_once)
        shown = await _shown(models, org_id, asked, sight, page)
        return list_slice([hit for _, hit in shown], page.next_key, [key for key, _ in shown])

    return await full_page(find, limit, after)


async def _shown(
    models: ReadModels, org_id: OrgId, asked: SearchWords, sight: Sight, page: ListSlice
) -> list[tuple[int, bytes]]:
    """Return the sort keys and the JSON of the hits of a page that may be shown."""
    texts = [_found(item) for item in page.items]
    ids = {document_id(org_id, one.task_id) for one in texts if one.task_id is not None}
    tasks = {id_: _task(json) for id_, json in (await models.here("tasks", [*ids])).items()}
    on = [document_id(org_id, one.comment_id) for one in texts if one.comment_id is not None]
    comments = await models.here("comments", on)
    hits = (
        _hit(
            one,
            None if one.task_id is None else tasks.get(document_id(org_id, one.task_id)),
            None if one.comment_id is None else comments.get(document_id(org_id, one.comment_id)),
            asked,
            sight,
        )
        for one in texts
    )
    return [
        (key, _encode(hit)) for key, hit in zip(page.keys, hits, strict=True) if hit is not None
    ]


def _hit(
    one: SearchedTextView, task: _Task | None, said: bytes | None, asked: SearchWords, sight: Sight
) -> SearchHit | None:
    """Return the hit of a text as it is now; None if it may not be shown, or has other words."""
    if task is None or task.project_id not in sight.projects:
        return None
    if one.comment_id is not None and said is None:
        return None
    comment = None if said is None else _comment(said).body
    aliases = () if comment is not None else words_for(sight.named, task.project_id)
    texts = [task.key, task.title, task.description or ""] if comment is None else [comment]
    if not asked.may_be_in((*texts, *aliases)) or not asked.matches([*words_of(*texts), *aliases]):
        return None
    project_key = sight.projects[task.project_id].key
    keys = [f"{key}-{task.number}" for key in (project_key, *(one.upper() for one in aliases))]
    return SearchHit(
        task_id=task.id,
        comment_id=one.comment_id,
        project_id=task.project_id,
        key=keys[0],
        title=task.title,
        excerpts=_excerpts(task, [*keys, task.key], comment, asked),
    )


def _excerpts(
    task: _Task, keys: Sequence[str], comment: str | None, asked: SearchWords
) -> list[Excerpt]:
    """Return where the words stand, one excerpt for each text that has any.

    Of several *keys* that a task has or had, it is the first of those with the most of the words.
    """
    if comment is not None:
        return [Excerpt(field="comment", parts=_parts(comment, asked))]
    found = [
        Excerpt(field="key", parts=max((_parts(key, asked) for key in keys), key=_found_in)),
        Excerpt(field="title", parts=_parts(task.title, asked)),
        Excerpt(field="description", parts=_parts(task.description or "", asked)),
    ]
    return [each for each in found if each.parts]


def _found_in(parts: Sequence[ExcerptPart]) -> int:
    return sum(part.found for part in parts)


def _parts(text: str, asked: SearchWords) -> list[ExcerptPart]:
    return [ExcerptPart(text=part.text, found=part.found) for part in excerpt(text, asked)]
