"""The base of every read model: the events it processes, how it folds them, what readers see.

A read model is a pure function from events to documents, so a replay can do no harm. A document
stores the whole state, one field each, so that the next event can be folded onto it. All streams
that feed one document belong to one organization.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar, get_args
from uuid import UUID

from msgspec import Struct, convert, to_builtins

from domain.base import Event, OrgId, State
from domain.catalog import tag_of
from eventstore.recorded import Recorded
from projections.shape import Index, Kind, Shape, Value, kinds_of

S = TypeVar("S")
A = TypeVar("A", bound=State)


class View(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a GET of one resource; times are RFC 3339, UTC."""


class Document(Struct, gc=False):
    """One document of a read model, as both adapters store it.

    ``position`` is the position of the newest event folded into it and ``version`` the version of
    its stream at that event; ``json`` is what readers get; ``fields`` are those of the shape.
    """

    id: str
    org: str
    deleted: bool
    position: int
    version: int
    updated_at: str
    fields: dict[str, Value]
    json: bytes


class Projection(Generic[S]):
    """A read model. A new version is built next to the old one and then takes its place.

    ``state`` is the type that events are folded into. Its fields are the fields of a document,
    except those ``left_out``, which readers must never see; ``more`` declares the fields that
    ``fields`` adds for a list.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tags: ClassVar[tuple[str, ...]]
    state: type[S]
    left_out: ClassVar[frozenset[str]] = frozenset()
    more: ClassVar[Mapping[str, Kind]] = {}
    indexes: ClassVar[Sequence[Index]] = ()
    since: ClassVar[int] = 0
    """The first version whose documents answer the queries of this one, though built by another."""
    patient: ClassVar[bool] = False
    """Whether it is left behind while events come in faster than all read models are written."""

    @cached_property
    def shape(self) -> Shape:
        """The fields and indexes of this version."""
        fields = {**kinds_of(self.state, self.left_out), **self.more}
        return Shape(self.name, self.version, fields, tuple(self.indexes), self.since)

    @cached_property
    def _beside(self) -> tuple[str, ...]:
        """Which fields of the state are no fields of the shape."""
        state: Any = self.state
        names: tuple[str, ...] = state.__struct_fields__
        return tuple(set(names) - set(self.shape.fields))

    def keys(self, recorded: Recorded) -> Sequence[str]:
        """Return the ids of the documents that *recorded* affects."""
        return (document_id(recorded.org_id, recorded.stream_id),)

    def fold(self, key: str, state: S | None, recorded: Recorded) -> S:
        """Return the state of a document after *recorded*; *state* is None for a new document."""
        raise NotImplementedError

    def render(self, key: str, state: S, recorded: Recorded) -> bytes:
        """Return the JSON that a GET returns; *recorded* is the newest event folded."""
        raise NotImplementedError

    def deleted(self, state: S) -> bool:
        """Return whether lists and GETs hide this document."""
        return bool(getattr(state, "deleted", False))

    def fields(self, state: S) -> Mapping[str, Value]:
        """Return the values of ``more``."""
        return {}

    def document(self, key: str, state: S, recorded: Recorded) -> Document:
        """Return the document for *state*; *recorded* is the newest event folded into it."""
        told: dict[str, Any] = to_builtins(state)
        if self.more:
            told.update(self.fields(state))
        shape = self.shape
        for name in self._beside:
            del told[name]
        for name in shape.texts:
            if told[name] is not None:
                told[name] = [*told[name]]
        return Document(
            id=key,
            org=text_of(recorded.org_id),
            deleted=self.deleted(state),
            position=recorded.position,
            version=recorded.version,
            updated_at=exact_time(recorded.at),
            fields=told,
            json=self.render(key, state, recorded),
        )

    def state_of(self, document: Document) -> S:
        """Return the state that *document* stores."""
        return convert({**document.fields, "deleted": document.deleted}, self.state)


def text_of(id_: UUID) -> str:
    """Return an id as text, as ``str`` does, which takes three times as long."""
    text: str = to_builtins(id_)
    return text


def exact_time(at: datetime) -> str:
    """Return a time as ``isoformat`` does with all microseconds, which takes six times as long."""
    text: str = to_builtins(at)
    return f"{text[:-1]}+00:00" if at.microsecond else f"{text[:-1]}.000000+00:00"


def document_id(org_id: OrgId, thing: UUID) -> str:
    """Return the id of a document; it contains the organization, so that no other can find it."""
    return f"{text_of(org_id)}:{text_of(thing)}"


class AggregateProjection(Projection[A]):
    """One document per stream, folded exactly as for commands."""

    def fold(self, key: str, state: A | None, recorded: Recorded) -> A:
        return (state if state is not None else self.state()).evolve(recorded.event)


def tags_of(*events: Any) -> tuple[str, ...]:
    """Return the stored names of events, given as classes or as unions of them."""
    classes: list[type[Event]] = []
    for event in events:
        classes += get_args(event) or (event,)
    return tuple(tag_of(event) for event in classes)
