"""Parameters and response types that several routes share."""

from typing import Annotated, Any, Generic, TypeVar

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, Parameter, QueryParameter
from msgspec import Struct

from api.http.paging import LIMIT_MAX
from api.http.query import NUMBER_MAX
from security.cursors import CURSOR_CHARS_MAX

T = TypeVar("T")

ANY_TYPE: Any = "application/octet-stream"
"""Stands in the description for the type of a file that somebody has uploaded."""
FILE_TYPES = ", "
"""Between the types of one response: Litestar knows one, the description splits them."""

Limit = FromQuery[Annotated[int, Parameter(ge=1, le=LIMIT_MAX, description="Page size")]]
_CURSOR = {"pattern": "^[A-Za-z0-9_-]+$", "maxLength": CURSOR_CHARS_MAX}
"""For the description only: a cursor of another form is refused like one from another list."""
Cursor = FromQuery[
    Annotated[
        str | None, Parameter(description="`nextCursor` of the last page", schema_extra=_CURSOR)
    ]
]
FirstSequence = FromQuery[
    Annotated[
        int | None,
        QueryParameter(name="from", ge=1, le=NUMBER_MAX, description="First sequence number"),
    ]
]
LastSequence = FromQuery[
    Annotated[
        int | None,
        QueryParameter(name="to", ge=1, le=NUMBER_MAX, description="Last sequence number"),
    ]
]


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    """A page of a list; ``nextCursor`` leads to the next one, null on the last."""

    items: list[T]
    next_cursor: str | None


def shows(view: Any, status: int = 200, description: str = "The resource") -> Any:
    """Return what the OpenAPI description says about a successful response."""
    spec = ResponseSpec(view, description=description, generate_examples=False)
    return {status: spec}


def shows_events(view: Any) -> Any:
    """Return the description of a stream of Server-Sent Events, each of which is a *view*."""
    spec = ResponseSpec(
        view,
        description="The events, one after the other",
        media_type="text/event-stream",
        generate_examples=False,
    )
    return {200: spec}


def nothing() -> Any:
    """Return the description of a response without a body (204)."""
    return {204: ResponseSpec(None, description="Done", generate_examples=False)}


def moves(status: int, description: str) -> Any:
    """Return the description of a response that sends a browser elsewhere."""
    return {status: ResponseSpec(None, description=description, generate_examples=False)}


def unchanged() -> Any:
    """Return the description of the answer to If-None-Match when the client has the resource."""
    return {304: ResponseSpec(None, description="Not changed", generate_examples=False)}


def shows_part() -> Any:
    """Return the description of a part of a file (206), or that it has not changed (304)."""
    part = ResponseSpec(
        bytes, description="A part of the file", media_type=ANY_TYPE, generate_examples=False
    )
    return {206: part, **unchanged()}


def shows_file(description: str, *types: str) -> Any:
    """Return the description of a file of one of *types*, which the description tells apart."""
    media: Any = FILE_TYPES.join(types)
    return {
        200: ResponseSpec(bytes, description=description, media_type=media, generate_examples=False)
    }
