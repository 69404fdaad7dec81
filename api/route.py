"""Shapes of parameters and answers that several routes share."""

import re
from typing import Annotated, Any
from uuid import UUID

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, Parameter

from api.reading import LIMIT_MAX

Limit = FromQuery[Annotated[int, Parameter(ge=1, le=LIMIT_MAX, description="Things on a page")]]
Cursor = FromQuery[Annotated[str | None, Parameter(description="nextCursor of the page before")]]

TASK_KEY = re.compile(r"([A-Z][A-Z0-9]{1,9})-([1-9]\d{0,8})")


def shows(view: Any, status: int = 200, description: str = "The resource") -> Any:
    """Return what a route's answer looks like in the API's description."""
    spec = ResponseSpec(view, description=description, generate_examples=False)
    return {status: spec}


def nothing() -> Any:
    """Return what the answer of a route looks like that has done its work and shows nothing."""
    return {204: ResponseSpec(None, description="Done", generate_examples=False)}


def uuid_or_none(text: str) -> UUID | None:
    """Return the UUID that *text* spells in its canonical form, or None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None
