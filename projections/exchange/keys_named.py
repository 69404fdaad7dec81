"""Words of a search that are keys of projects: a task is found by each key that its project had.

The key that a task got is one of its words. Keys that its project got before or later are not: when
a project gets another key, none of its tasks is stored again. So a word that is such a key stands
for the project.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from domain.base import OrgId, ProjectId
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice
from projections.exchange.search import project_term, rarest_first, texts_found
from projections.exchange.words import SearchWords

KEYS_NAMED_MAX = 10
"""How many projects the words of one search can name."""
NamedProjects = Mapping[ProjectId, Collection[str]]
"""Words of a search by the project of which each is a key, or begins one."""
NO_PROJECTS_NAMED: NamedProjects = {}


class Lookup(NamedTuple):
    """The terms of one way to find what is searched for, the rarest first."""

    terms: Sequence[str]


async def lookups_of(
    models: ReadModels, org_id: OrgId, asked: SearchWords, named: NamedProjects
) -> list[Lookup]:
    """Return the ways to find what is searched for: by its words, and by each project it names."""
    ways = [asked.terms]
    ways += [
        [project_term(project_id), *asked.without(words).terms]
        for project_id, words in named.items()
    ]
    return [Lookup(await rarest_first(models, org_id, terms)) for terms in ways]


async def found_by(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    lookups: Sequence[Lookup],
    hidden: frozenset[ProjectId],
    limit: int,
    below: int | None = None,
) -> ListSlice:
    """Return texts that one of the ways finds, each once, as ``texts_found`` does."""
    pages = [
        await texts_found(models, org_id, each.terms, hidden, limit, below) for each in lookups
    ]
    if len(pages) == 1:
        return pages[0]
    end = max((page.next_key for page in pages if page.next_key is not None), default=None)
    found = {key: item for page in pages for key, item in zip(page.keys, page.items, strict=True)}
    keys = sorted((key for key in found if end is None or key >= end), reverse=True)
    if len(keys) > limit:
        keys, end = keys[:limit], keys[limit - 1]
    json = b",".join(found[key] for key in keys)
    return ListSlice(json, len(keys), end, keys)


def words_for(named: NamedProjects, project_id: ProjectId) -> Sequence[str]:
    """Return the words that name a project, which each of its tasks has, too."""
    return [*named.get(project_id, ())]
