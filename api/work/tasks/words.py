"""The words that a request searches for, and the tasks of a list that have them."""

from collections.abc import Mapping
from itertools import islice

from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.work.project_key import PROJECT_KEY
from commands.project_claims import project_key_claim
from domain.base import ProjectId
from domain.work.project.state import Project
from projections.exchange.keys_named import KEYS_NAMED_MAX, NO_PROJECTS_NAMED, NamedProjects
from projections.exchange.tasks_found import TooManyTasksFound, documents_with
from projections.exchange.words import SearchWords, asked_words

TERMS_MAX = 10
"""How many different words one search can have."""


def words_asked(query: str) -> SearchWords:
    """Return what to search for.

    :raises Problem: 422 if it has no word or too many.
    """
    asked = asked_words(query)
    if not 1 <= len(asked.terms) <= TERMS_MAX:
        raise invalid(FieldError("q", f"Expected 1 to {TERMS_MAX} words of letters or digits"))
    return asked


async def named_in(
    request: ApiRequest, asked: SearchWords, projects: Mapping[ProjectId, Project]
) -> NamedProjects:
    """Return which of *projects* the words name by another key than some of their tasks have.

    A word is a key that such a project has or had, or begins the one that it has.
    """
    rekeyed = {project_id: one for project_id, one in projects.items() if one.rekeyed}
    if not rekeyed:
        return NO_PROJECTS_NAMED
    org_id, found = request.organization, dict[ProjectId, set[str]]()
    claims = {
        word: project_key_claim(org_id, word.upper())
        for word in (*asked.whole, *asked.beginnings)
        if PROJECT_KEY.fullmatch(word.upper())
    }
    held = await request.api.system.log.holders([*claims.values()]) if claims else {}
    for word, claim in claims.items():
        if (holder := held.get(claim)) is not None and holder in rekeyed:
            found.setdefault(ProjectId(holder), set()).add(word)
    for word in asked.beginnings:
        for project_id, project in rekeyed.items():
            if project.key.lower().startswith(word):
                found.setdefault(project_id, set()).add(word)
    return dict(islice(found.items(), KEYS_NAMED_MAX))


async def tasks_with(
    request: ApiRequest, asked: SearchWords, named: NamedProjects
) -> list[str] | None:
    """Return the documents of tasks outside the trash that may have the words.

    None if there are too many of them: among all tasks, a list soon meets some.
    """
    try:
        return await documents_with(request.api.models, request.organization, asked, named)
    except TooManyTasksFound:
        return None
