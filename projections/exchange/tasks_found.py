"""Which tasks have the words that a list asks for."""

import msgspec
from msgspec import Struct

from domain.base import OrgId, ProjectId
from projections.base import document_id
from projections.engine.find import ReadModels
from projections.engine.query import AMONG_MAX
from projections.exchange.keys_named import NamedProjects, found_by, lookups_of, words_for
from projections.exchange.search import SearchedTextView
from projections.exchange.words import SearchWords, words_of

_AT_ONCE, _ROUNDS_MAX = 1_000, 20
_NOWHERE: frozenset[ProjectId] = frozenset()
_found = msgspec.json.Decoder(SearchedTextView).decode


class TooManyTasksFound(Exception):
    """More tasks have the words than a list looks through."""


class _Said(Struct, frozen=True, rename="camel"):
    key: str
    project_id: ProjectId
    title: str
    description: str | None


_said = msgspec.json.Decoder(_Said).decode


async def documents_with(
    models: ReadModels, org_id: OrgId, asked: SearchWords, named: NamedProjects
) -> list[str]:
    """Return the ids of the documents of tasks that may have all words; ``has_words`` tells.

    Those in the trash are not among them.

    :raises TooManyTasksFound: they are more than a list looks through.
    """
    found: dict[str, None] = {}
    below: int | None = None
    lookups = await lookups_of(models, org_id, asked, named)
    for _ in range(_ROUNDS_MAX):
        page = await found_by(models, org_id, lookups, _NOWHERE, _AT_ONCE, below)
        for text in map(_found, page.items):
            if text.task_id is not None and text.comment_id is None:
                found[document_id(org_id, text.task_id)] = None
        below = page.next_key
        if below is None or len(found) > AMONG_MAX:
            break
    if below is not None or len(found) > AMONG_MAX:
        raise TooManyTasksFound
    return [*found]


def may_have_words(task: bytes, asked: SearchWords, named: NamedProjects) -> bool:
    """Return whether ``has_words`` may be true of a task; it is quick to say that it is not."""
    others = asked.without({word for words in named.values() for word in words})
    return others.may_be_in([task.decode()])


def has_words(task: bytes, asked: SearchWords, named: NamedProjects) -> bool:
    """Return whether keys, title and description of a task, as JSON, have the words."""
    said = _said(task)
    words = words_of(said.key, said.title, said.description or "")
    return asked.matches([*words, *words_for(named, said.project_id)])
