"""Texts that are searched: one document per task and per comment, newest first."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import CommentId, OrgId, ProjectId, TaskId
from domain.work.comment import (
    CommentDeleted,
    CommentEdited,
    CommentImported,
    CommentPosted,
    CommentPurged,
    CommentRestored,
)
from domain.work.task.events import (
    TaskCreated,
    TaskDeleted,
    TaskDescribed,
    TaskMoved,
    TaskRestored,
    TaskRetitled,
)
from domain.work.task.trash_events import TaskPurged
from eventstore.recorded import Recorded
from projections.base import Projection, View, tags_of, text_of
from projections.engine.find import ReadModels
from projections.engine.query import AT_MAX, SORT_KEYS_MAX, ListSlice, Query
from projections.exchange.words import terms_of
from projections.shape import Index, Kind, Value

PROBED = 200
"""How many of the newest texts with a word are looked at to learn how rare it is."""
FEW_MAX = 1_000
"""How many texts are read to compare another word, rather than up to 20 times as many sort keys."""
_PROJECT = "#"
_encode = msgspec.json.Encoder().encode
_TASK = (
    TaskCreated | TaskRetitled | TaskDescribed | TaskMoved | TaskDeleted | TaskRestored | TaskPurged
)
_COMMENT = (
    CommentPosted
    | CommentImported
    | CommentEdited
    | CommentDeleted
    | CommentRestored
    | CommentPurged
)


class SearchedText(Struct, frozen=True, kw_only=True, gc=False):
    """The text of a task or of a comment.

    ``seq`` is the sequence number of the event that created it. ``project_id`` is empty for a
    comment, which is where its task is.
    """

    task_id: TaskId | None = None
    comment_id: CommentId | None = None
    project_id: str = ""
    key: str = ""
    title: str = ""
    body: str = ""
    seq: int = 0
    deleted: bool = False


class SearchedTextView(View, frozen=True, kw_only=True):
    """Whose text was found: the task, and the comment on it if that is what was found."""

    task_id: TaskId | None
    comment_id: CommentId | None


class SearchedTexts(Projection[SearchedText]):
    """Tasks and comments by their words.

    What is in the trash has none. The words are those that `words_of` returns, at most 200 of them.
    Tasks have the term of their project, too, by which they are found under its other keys.
    """

    name = "searched_texts"
    version = 5
    tags = tags_of(_TASK, _COMMENT)
    state = SearchedText
    more: ClassVar[Mapping[str, Kind]] = {"terms": Kind.TEXTS}
    patient = True  # the terms of a text cost as much as everything else about a new task
    indexes: ClassVar[Sequence[Index]] = (Index(("org",), "seq", contains="terms"),)

    def fold(self, key: str, state: SearchedText | None, recorded: Recorded) -> SearchedText:
        before = SearchedText(seq=recorded.org_seq) if state is None else state
        event: Any = recorded.event
        if isinstance(event, TaskCreated | TaskRetitled | TaskDescribed | TaskMoved):
            return replace(before, **_task_told(event, recorded.stream_id))
        return replace(before, **_comment_told(event, recorded.stream_id))

    def render(self, key: str, state: SearchedText, recorded: Recorded) -> bytes:
        return _encode(SearchedTextView(task_id=state.task_id, comment_id=state.comment_id))

    def fields(self, state: SearchedText) -> Mapping[str, Value]:
        if state.deleted:
            return {"terms": []}
        words = terms_of(state.key, state.title, state.body)
        return {"terms": [*words, project_term(state.project_id)] if state.project_id else words}


def project_term(project_id: ProjectId | str) -> str:
    """Return the term that all tasks of a project have, and that is no word."""
    return f"{_PROJECT}{project_id}"


def _task_told(
    event: TaskCreated | TaskRetitled | TaskDescribed | TaskMoved, stream: UUID
) -> dict[str, Any]:
    """Return what *event* says about the text of a task."""
    match event:
        case TaskRetitled():
            return {"title": event.to}
        case TaskDescribed():
            return {"body": event.description or ""}
        case TaskCreated() | TaskMoved():
            pass
    placed = {
        "project_id": text_of(event.project_id),
        "key": f"{event.project_key}-{event.number}",
    }
    if isinstance(event, TaskMoved):
        return placed
    text = {"title": event.title, "body": event.description or ""}
    return {"task_id": TaskId(stream), **placed, **text}


def _comment_told(
    event: TaskDeleted | TaskRestored | TaskPurged | _COMMENT, stream: UUID
) -> dict[str, Any]:
    """Return what *event* says about the text of a comment, or about what is in the trash."""
    match event:
        case CommentPosted():
            told = {"task_id": event.task_id, "comment_id": CommentId(stream)}
            return {**told, "body": event.body}
        case CommentEdited():
            return {"body": event.body}
        case TaskPurged() | CommentPurged():
            return {"title": "", "body": "", "deleted": True}
        case _:
            return {"deleted": isinstance(event, TaskDeleted | CommentDeleted)}


async def rarest_first(models: ReadModels, org_id: OrgId, terms: Sequence[str]) -> list[str]:
    """Return *terms* in the order of how many texts have them, the fewest first.

    It is estimated by the newest texts with each: how many there are, and how far back they go.
    """
    if len(terms) < 2:
        return [*terms]
    probes = await models.pages(*(_query(org_id, term, PROBED) for term in terms))
    newest = {
        term: (page.size, page.keys[-1] if page.size else 0)
        for term, page in zip(terms, probes, strict=True)
    }
    return sorted(terms, key=lambda term: newest[term])


async def texts_found(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    terms: Sequence[str],
    hidden: frozenset[ProjectId],
    limit: int,
    below: int | None = None,
) -> ListSlice:
    """Return texts that have all *terms*, those created before *below*, newest first.

    The index answers the first one, and others are compared in a bounded number of rows. Should
    that not fill the page, the index is asked for the sort keys that two of them share
    (``shared_keys``). Tasks of *hidden* projects are left out, but not the comments on them.
    """
    first, *others = terms
    query = replace(
        _query(org_id, first, limit),
        below=below,
        holding=[("terms", [each]) for each in others],
        without=("project_id", [*map(text_of, hidden)]) if hidden else None,
    )
    [found] = await models.pages(query)
    if not others or found.next_key is None or found.size >= limit:
        return found
    rest = replace(query, limit=limit - found.size, below=None)
    more = await _sharing(models, org_id, (first, others[0]), rest, found.next_key)
    json = b",".join(filter(None, (found.json, more.json)))
    return ListSlice(json, found.size + more.size, more.next_key, [*found.keys, *more.keys])


async def _sharing(
    models: ReadModels, org_id: OrgId, terms: tuple[str, str], query: Query, below: int
) -> ListSlice:
    """Return the page of *query*, which is full unless there are no more texts with both terms."""
    parts: list[bytes] = []
    keys: list[int] = []
    after: int | None = below
    while after is not None:
        shared, after = await shared_keys(models, org_id, terms, after)
        while shared:
            at, shared = shared[:AT_MAX], shared[AT_MAX:]
            limit = query.limit - len(keys)
            [more] = await models.pages(replace(query, at=at, limit=limit))
            parts += [more.json] * (more.size > 0)
            keys += more.keys
            if len(keys) == query.limit:
                goes_on = more.next_key is not None or shared or after is not None
                return ListSlice(b",".join(parts), len(keys), keys[-1] if goes_on else None, keys)
    return ListSlice(b",".join(parts), len(keys), None, keys)


async def shared_keys(
    models: ReadModels, org_id: OrgId, terms: tuple[str, str], below: int
) -> tuple[list[int], int | None]:
    """Return the sort keys of texts that have two terms, below a key and downwards, some at a time.

    The second value is the key below which to go on, None at the end. Both words may be in most
    texts: their keys are read where the index has them, and no text is. If few have the first one,
    these are all: whoever reads them compares the other.
    """
    one, other = terms
    query = replace(_query(org_id, one, SORT_KEYS_MAX), below=below, bare=True)
    [ones] = await models.pages(query)
    if ones.size <= FEW_MAX:
        return [*ones.keys], ones.next_key
    [others] = await models.pages(replace(query, contains=("terms", other)))
    ends = [page.next_key for page in (ones, others) if page.next_key is not None]
    end: int | None = max(ends, default=None)
    shared = {*ones.keys}.intersection(others.keys)
    return sorted((key for key in shared if end is None or key >= end), reverse=True), end


def _query(org_id: OrgId, term: str, limit: int) -> Query:
    return Query(
        model="searched_texts",
        where={"org": text_of(org_id)},
        contains=("terms", term),
        sort="seq",
        descending=True,
        limit=limit,
        keyed=True,
    )
