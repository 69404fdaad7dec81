"""The queries of lists, each answered by one index that its read model declares (``answering``).

Both engines accept only queries that one index answers, so that no list can be slow on one of
them: equalities on all leading fields of an index, at most one of them with a choice of values, a
range on the sort key, a limit; or the ids of the documents themselves. Any other filter
(``residual``, ``holding``, ``within``, ``without`` and ``entered``) is applied to a bounded number
of rows, in the order of the list.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from projections.shape import Value, entry

EITHER_MAX = 200
"""The maximum number of values in a choice: about as many as one person sees projects."""
AMONG_MAX = 2_000
"""The maximum number of documents among which a query looks."""
LOOKUPS_MAX = 400
"""The maximum number of places of its index at which a query begins; SQLite joins up to 500."""
WITHOUT_MAX = 20_000
"""The maximum number of values that are left out: private projects that one person does not see."""
RESIDUAL_ROWS_MAX = 500
"""Rows to which a residual filter is applied before the slice ends."""
LIMIT_MAX = 1_000
SORT_KEYS_MAX = 20_000
"""How many sort keys one page has without their documents: some 5 ms."""
AT_MAX = 500
"""At how many sort keys a query looks."""

_SPAN_PART = len("2026-11-28T00")
_packed = msgspec.msgpack.Encoder().encode

Key = str | int


class QueryRefused(Exception):
    """No declared index answers a query, which is a bug in the caller."""


class Entered(NamedTuple):
    """What a document must have: an entry by a name, between two sort keys of one pair at least.

    With ``texts``, it may have one of those in ``field_of_texts`` instead.
    """

    field: str
    name: str
    ranges: Sequence[tuple[str, str]]
    field_of_texts: str = ""
    texts: Sequence[str] = ()

    @property
    def ends(self) -> list[tuple[str, str]]:
        """The ranges as those of entries."""
        return [(entry(self.name, low), entry(self.name, high)) for low, high in self.ranges]


class Query(Struct, frozen=True, kw_only=True, dict=True):
    """One page of one list.

    ``where`` holds equalities, ``either`` a field and its allowed values, ``contains`` a field of
    texts and the text that it must contain, or several of which it must contain one; with
    ``apart``, no document contains two of them. ``above`` and ``below`` are exclusive bounds of the
    sort key. ``residual`` holds equalities, or allowed values as a list. ``holding`` are fields of
    texts, each of which must contain one of its texts. ``within`` are fields of text or of numbers,
    each with the ranges, from a first value up to but without an end, in one of which it must be.
    ``without`` is a field and values of it that are left out. ``entered`` are entries that it must
    have. ``among``
    are the ids of the documents to look at, for which no other index has to answer. With ``keyed``,
    the page tells the sort key of each item. ``span`` is a field other than the sort key, with its
    exclusive bounds: the index that is sorted by it answers, and what is within is put in the order
    of the list; beside ``contains``, that is an index of texts. ``between`` are exclusive ranges,
    none of which overlap, of entries by the one name that ``contains`` asks for, in the same way.
    With ``few``, the index is known to find not many documents: filters look at all of them, and
    the page is full. With ``bare``, the page is the sort keys alone, which an index of texts tells
    without a look at any document. ``at`` are the only sort keys that are looked at.
    """

    model: str
    where: Mapping[str, Value]
    sort: str
    descending: bool = False
    limit: int
    above: Key | None = None
    below: Key | None = None
    either: tuple[str, Sequence[str]] | None = None
    contains: tuple[str, str | Sequence[str]] | None = None
    residual: Mapping[str, Value] = {}
    holding: Sequence[tuple[str, Sequence[str]]] = ()
    within: Sequence[tuple[str, Sequence[tuple[Key, Key]]]] = ()
    without: tuple[str, Sequence[str]] | None = None
    entered: Sequence[Entered] = ()
    among: Sequence[str] | None = None
    keyed: bool = False
    span: tuple[str, Key | None, Key | None] | None = None
    between: Sequence[tuple[str, str]] = ()
    apart: bool = False
    few: bool = False
    bare: bool = False
    at: Sequence[Key] | None = None

    @cached_property
    def found(self) -> bytes:
        """Which documents the index finds, and of what it gathers filters leave, in any order.

        Of a span that ends now, the end is another one each second: a part of it is enough.
        """
        span = None if self.span is None else [str(each)[:_SPAN_PART] for each in self.span]
        found = (self.where, self.either, self.contains, span or self.between)
        if not self.gathers:
            return _packed(found)
        ranges = [(field, both) for field, ranges in self.within for both in ranges]
        within = [(field, *[str(each)[:_SPAN_PART] for each in both]) for field, both in ranges]
        left = (self.residual, self.holding, within, self.entered)
        return _packed((found, *left))

    @cached_property
    def statements(self) -> dict[Any, Any]:
        """What a store asks for it and for what is behind any sort key, to be kept by the store.

        Most lists are asked for again and again.
        """
        return {}

    def behind(self, key: Key) -> "Query":
        """Return the query for what comes behind a sort key."""
        found = replace(self, **{"below" if self.descending else "above": key})
        vars(found)["statements"] = self.statements
        return found

    @property
    def gathers(self) -> bool:
        """Whether what has a text within a span is put in another order."""
        return self.span is not None and self.contains is not None

    @property
    def put_in_order(self) -> bool:
        """Whether all that the index finds is put in the order of the list."""
        return self.span is not None or bool(self.between)

    @property
    def hull(self) -> tuple[str, str]:
        """The exclusive ends of all ranges of entries."""
        return min(low for low, _ in self.between), max(high for _, high in self.between)

    @property
    def of_entries(self) -> bool:
        """Whether the sort keys are those of the entries by the names that are searched for."""
        return self.contains is not None and self.contains[0] == self.sort

    @property
    def lookups(self) -> int:
        """At how many places of its index the query begins."""
        choices = 1 if self.either is None else len(self.either[1])
        return choices * len(self.texts) * max(len(self.between), 1)

    @property
    def texts(self) -> Sequence[str | None]:
        """The texts of which the index answers one; None if it is asked for none."""
        if self.contains is None:
            return (None,)
        return (text,) if isinstance(text := self.contains[1], str) else text

    @property
    def finds_once(self) -> bool:
        """Whether no document has two of the texts that the index answers."""
        return self.apart or len(self.texts) == 1

    @property
    def rows_max(self) -> int:
        """How many rows of the index to read; one more than shown reveals if there are more."""
        return (RESIDUAL_ROWS_MAX if self.sifted else self.limit) + 1

    @property
    def filters(self) -> bool:
        """Whether rows of the index are left out, so that more of them have to be read."""
        more = (self.residual, self.holding, self.within, self.without, self.entered)
        return self.among is not None or any(more)

    @property
    def sifted(self) -> bool:
        """Whether filters look at a bounded number of rows, so that a page can be short."""
        return self.filters and not self.few and not self.put_in_order


_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class ListSlice(NamedTuple):
    """A page: the JSON of its items, joined by commas, and how many they are.

    ``next_key`` is the sort key to continue after, None if there are no more. With a residual
    filter a slice may hold less than the limit and yet have a next key. ``keys`` are those of the
    items, if the query asked for them.
    """

    json: bytes
    size: int
    next_key: Any
    keys: Sequence[Any] = ()

    @property
    def has_more(self) -> bool:
        """Whether there is one more item, and not only more rows that filters may leave out.

        This is known of pages that tell their sort keys.
        """
        return self.next_key is not None and self.keys[-1:] == [self.next_key]

    @property
    def items(self) -> list[bytes]:
        """The JSON of each item."""
        return [bytes(item) for item in _split(b"[%b]" % self.json)]


def list_slice(items: Sequence[bytes], next_key: Any = None, keys: Sequence[Any] = ()) -> ListSlice:
    """Return a page of *items*, which are JSON."""
    return ListSlice(b",".join(items), len(items), next_key, keys)


def cut(query: Query, rows: Sequence[tuple[Any, bytes]], end: Any = None) -> ListSlice:
    """Return *rows* as a page; a row is its sort key and its JSON.

    They are one more than the page shows, if there are more. *end* is the sort key of the last row
    that was looked at, if there are rows behind it.
    """
    shown = rows[: query.limit]
    next_key = shown[-1][0] if len(rows) > query.limit else end
    is_keyed = query.keyed or query.sifted or end is not None
    keys = [key for key, _ in shown] if is_keyed else ()
    return list_slice([json for _, json in shown], next_key, keys)


def keys_slice(query: Query, keys: Sequence[Any]) -> ListSlice:
    """Return the page of a ``bare`` query: its sort keys, of which there is one more if any is."""
    shown = keys[: query.limit]
    next_key = shown[-1] if len(keys) > query.limit else None
    return ListSlice(b"", len(shown), next_key, shown)
