"""The shape of a read model: its fields under their own names, and the indexes of its lists."""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, inspect
from msgspec.structs import force_setattr

Value = str | int | bool | list[str] | None
"""What a field holds. Ids and times are text: RFC 3339 in UTC keeps every microsecond."""


ENTRY_SEPARATOR = "\x1f"
"""Between the name and the sort key of an entry; no name has it."""
_TEXTS_INDEXED_BY = "marks"
"""How SQLite keeps an index that contains texts; what is kept in another way is built again."""


class Kind(StrEnum):
    """What a field holds; fields declared by a read model may be null."""

    TEXT = "text"
    INTEGER = "integer"
    TRUTH = "truth"
    TEXTS = "texts"


BASE: dict[str, Kind] = {
    "id": Kind.TEXT,
    "org": Kind.TEXT,
    "deleted": Kind.TRUTH,
    "position": Kind.INTEGER,
    "version": Kind.INTEGER,
    "updated_at": Kind.TEXT,
}
"""The fields that every document has, besides its own and the rendered ``json``."""


class Index(Struct, frozen=True):
    """An index of one kind of list: fields compared for equality, then the sort key.

    ``contains`` names a field of texts that is searched for one text; the sort key of such an index
    is never null. If that field is the sort key, too, its texts are *entries*, made by
    ``entry``: each is a name, which is searched for, and a sort key. If the list is read in pages,
    the sort key must be unique within the equal fields. ``also`` names fields that SQLite keeps in
    the index, so that rows which a residual filter leaves out are not read; with an index of texts,
    it keeps them in a sketch of each document, the same for all indexes of a field. With an index
    of entries, it keeps them beside each entry, and of a field of texts the sketch of its texts.
    """

    equal: tuple[str, ...]
    sort: str
    contains: str | None = None
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the index in both engines."""
        middle = (self.contains,) if self.contains else ()
        return "by_" + "_".join((*self.equal, *middle, self.sort))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the index in order."""
        middle = (self.contains,) if self.contains and not self.of_entries else ()
        return (*self.equal, *middle, self.sort)

    @property
    def of_entries(self) -> bool:
        """Whether each document is found by names, at a sort key of its own for each."""
        return self.contains == self.sort


def entry(name: str, key: str) -> str:
    """Return the entry of a document that is found by *name*, at the sort key *key*."""
    return f"{name}{ENTRY_SEPARATOR}{key}"


class Shape(Struct, frozen=True):
    """One version of a read model, from which adapters create tables or collections."""

    model: str
    version: int
    fields: dict[str, Kind]
    indexes: tuple[Index, ...] = ()

    since: int = 0
    """The first version whose documents answer the queries of this one: they mean the same."""
    texts: tuple[str, ...] = ()
    """Which of the fields hold texts."""
    sketches: dict[str, tuple[str, ...]] = {}
    """Those of which SQLite keeps a sketch of each document, with the fields that it has beside."""
    beside_entries: dict[str, tuple[str, ...]] = {}
    """The fields of entries beside each of which SQLite keeps other fields, with those fields."""
    layout: str = ""
    """A digest of the fields and indexes, which a query must match to be answered."""

    def __post_init__(self) -> None:
        found = tuple(name for name, kind in self.fields.items() if kind is Kind.TEXTS)
        force_setattr(self, "texts", found)
        texts = [one for one in self.indexes if one.contains and one.also]
        also = {str(one.contains): one.also for one in texts if not one.of_entries}
        force_setattr(self, "sketches", also)
        also = {str(one.contains): one.also for one in texts if one.of_entries}
        force_setattr(self, "beside_entries", also)
        indexes = [(one.equal, one.sort, one.contains, *one.also) for one in self.indexes]
        how = [_TEXTS_INDEXED_BY] if any(one.contains for one in self.indexes) else []
        how += [f"since {self.since}"] if self.since else []
        told = msgspec.json.encode([sorted(self.fields.items()), indexes, *how])
        force_setattr(self, "layout", hashlib.sha256(told).hexdigest()[:16])

    def kind(self, field: str) -> Kind:
        """Return what *field* holds.

        :raises KeyError: there is no such field.
        """
        return BASE[field] if field in BASE else self.fields[field]


def kinds_of(state: type, left_out: frozenset[str] = frozenset()) -> dict[str, Kind]:
    """Return the document fields of a state, without those that every document has.

    :raises TypeError: a field of the state has a type that no document field can hold.
    """
    told: Any = inspect.type_info(state)
    return {
        field.name: _kind(f"{state.__name__}.{field.name}", field.type)
        for field in told.fields
        if field.name not in left_out and field.name not in BASE
    }


def _kind(name: str, told: inspect.Type) -> Kind:
    match told:
        case inspect.UnionType(types=types):
            [one] = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _kind(name, one)
        case inspect.BoolType():
            return Kind.TRUTH
        case inspect.IntType():
            return Kind.INTEGER
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            if _kind(name, item) is Kind.TEXT:
                return Kind.TEXTS
        case inspect.StrType() | inspect.UUIDType() | inspect.EnumType():
            return Kind.TEXT
        case inspect.DateType() | inspect.DateTimeType():
            return Kind.TEXT
        case _:
            pass
    raise TypeError(f"{name} has a type that a field of a read model cannot hold")
