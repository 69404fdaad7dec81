"""Shapes of parameters and answers that several routes share."""

from typing import Annotated, Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, Parameter

from api.http.paging import LIMIT_MAX

Limit = FromQuery[Annotated[int, Parameter(ge=1, le=LIMIT_MAX, description="Things on a page")]]
Cursor = FromQuery[Annotated[str | None, Parameter(description="nextCursor of the page before")]]


def shows(view: Any, status: int = 200, description: str = "The resource") -> Any:
    """Return what a route's answer looks like in the API's description."""
    spec = ResponseSpec(view, description=description, generate_examples=False)
    return {status: spec}


def nothing() -> Any:
    """Return what the answer of a route looks like that has done its work and shows nothing."""
    return {204: ResponseSpec(None, description="Done", generate_examples=False)}
