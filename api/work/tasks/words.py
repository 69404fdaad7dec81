"""The words that a request searches for, and the tasks of a list that have them."""

from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
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


async def tasks_with(request: ApiRequest, asked: SearchWords) -> list[str] | None:
    """Return the documents of tasks outside the trash that may have the words.

    None if there are too many of them: among all tasks, a list soon meets some.
    """
    try:
        return await documents_with(request.api.models, request.organization, asked.terms)
    except TooManyTasksFound:
        return None
