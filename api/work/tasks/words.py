"""The words that a request searches for, and the tasks of a list that have them."""

from api.http.problem import FieldError, Problem, invalid
from api.http.request import ApiRequest
from projections.engine.query import AMONG_MAX
from projections.exchange.tasks_found import TooManyTasksFound, documents_with
from projections.exchange.words import SearchWords, asked_words

TERMS_MAX = 10
"""How many different words one search can have."""
FOUND_TOO_MANY = (422, "too_many_found")
"""How a list refuses words that too many tasks have."""


def words_asked(query: str) -> SearchWords:
    """Return what to search for.

    :raises Problem: 422 if it has no word or too many.
    """
    asked = asked_words(query)
    if not 1 <= len(asked.terms) <= TERMS_MAX:
        raise invalid(FieldError("q", f"Expected 1 to {TERMS_MAX} words of letters or digits"))
    return asked


async def tasks_with(request: ApiRequest, asked: SearchWords) -> list[str]:
    """Return the documents of tasks outside the trash that may have the words.

    :raises Problem: 422 if there are too many.
    """
    try:
        return await documents_with(request.api.models, request.organization, asked.terms)
    except TooManyTasksFound:
        detail = "Too many tasks have these words. Add a word that fewer have."
        raise Problem(*FOUND_TOO_MANY, detail, details={"limit": AMONG_MAX}) from None
