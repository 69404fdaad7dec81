"""What every read model is: which events it wants, how it folds them and what a reader sees.

A read model is pure: it gets events and returns documents, so a replay can do no harm. Each of
its documents is fed by exactly one stream, which is why a stream that cannot be projected can be
set aside without holding up the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, get_args
from uuid import UUID

from msgspec import Struct
from pymongo import IndexModel

from domain.base import Event, OrgId, State
from domain.catalog import tag_of
from eventstore.recorded import Recorded

S = TypeVar("S")
A = TypeVar("A", bound=State)

Fields = Mapping[str, Any]
"""Fields of a document that lists filter and sort by: ids as text, numbers, truth values."""


class View(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a GET answers about one thing; times are RFC 3339, UTC."""


class Projection(Generic[S]):
    """One read model. A new version is built beside the old one, then takes its place.

    ``state`` is the type that events are folded into; it is stored with the document, so that
    the next event can be folded without reading the stream again.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tags: ClassVar[tuple[str, ...]]
    state: type[S]
    indexes: ClassVar[Sequence[IndexModel]] = ()

    def keys(self, recorded: Recorded) -> Iterable[str]:
        """Return the ids of the documents that *recorded* touches."""
        return (document_id(recorded.org_id, recorded.stream_id),)

    def fold(self, key: str, state: S | None, recorded: Recorded) -> S:
        """Return the state of a document after *recorded*; None is a document not yet there."""
        raise NotImplementedError

    def render(self, key: str, state: S, recorded: Recorded) -> bytes:
        """Return the JSON that a GET answers; *recorded* is the newest event folded."""
        raise NotImplementedError

    def fields(self, key: str, state: S, recorded: Recorded) -> Fields:
        """Return what lists filter and sort by, the organization always among it."""
        raise NotImplementedError


def document_id(org_id: OrgId, thing: UUID) -> str:
    """Return the id of a document: with the organization in it, nobody else's can be asked for.

    A filter by ``_id`` and ``org`` would say the same, but scans on a laptop's server.
    """
    return f"{org_id}:{thing}"


class AggregateProjection(Projection[A]):
    """A document a stream, folded exactly as the write side folds it."""

    def fold(self, key: str, state: A | None, recorded: Recorded) -> A:
        return (state if state is not None else self.state()).evolve(recorded.event)


def tags_of(*events: Any) -> tuple[str, ...]:
    """Return the stored names of events, given as classes or as unions of them."""
    classes: list[type[Event]] = []
    for event in events:
        classes += get_args(event) or (event,)
    return tuple(tag_of(event) for event in classes)
