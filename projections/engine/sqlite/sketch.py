"""The tables that tell of each document what filters compare, in few bytes.

A document is longer than a page of the file, and to look a mark up takes as long as to read ten of
its neighbours. Lists that look at many documents first compare their *sketches*: the bits that all
texts of a field set, and the fields that its indexes name beside. A text whose bits are not all set
is not in the document; of a hundred documents that do not have it, one looks as if it had.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from projections.engine.query import Query
from projections.engine.sqlite.statements import quoted, sketch_table
from projections.engine.store import ShapedCollection

_BITS = 63
"""How many bits each of the two numbers has that SQLite stores with a sign."""
TEXTS_MAX = 8
"""Of how many texts of a choice the bits are compared; of more, most documents have those of one.
"""


_encode = msgspec.json.Encoder().encode
_HAS = "{0}.low & ? = ? AND {0}.high & ? = ?"


@lru_cache(16_384)  # of a process; most documents have the same few texts
def bits_of(text: str) -> tuple[int, int]:
    """Return the bits that *text* sets in the two numbers of a sketch: two in each."""
    at = [each % _BITS for each in blake2b(text.encode(), digest_size=4).digest()]
    return 1 << at[0] | 1 << at[1], 1 << at[2] | 1 << at[3]


def bits_of_all(texts: Sequence[str]) -> tuple[int, int]:
    """Return the bits that all *texts* set."""
    low = high = 0
    for text in texts:
        bits = bits_of(text)
        low |= bits[0]
        high |= bits[1]
    return low, high


def named(field: str, count: int) -> str:
    """Return the comparison that one of *count* texts is in *field*, which stores them as JSON."""
    return f"({' OR '.join([f'instr({field}, ?)'] * (2 * count))})"


@lru_cache(16_384)
def texts_told(text: str) -> tuple[str, str]:
    """Return the parameters of ``named`` for a text: how it stands behind another, and first.

    Within a text, a quotation mark stands behind a backslash, never behind these.
    """
    told = _encode(text).decode()
    return f",{told}", f"[{told}"


class Sketched:
    """What a query compares in the sketches of its documents.

    A statement calls their table ``k``. Sketches beside entries are in the table of the entries,
    which it calls ``s``.
    """

    def __init__(self, target: ShapedCollection, field: str | None) -> None:
        """*field* holds the texts or entries that find documents; not all such have sketches."""
        shape, found = target.shape, field or ""
        has_table = found in shape.sketches
        self.table = quoted(sketch_table(target.collection, found)) if has_table else ""
        """The table, which is empty text if there is none of its own."""
        self._called = "k" if has_table else "s"
        self._beside = shape.sketches[found] if has_table else shape.beside_entries.get(found, ())
        texts = [each for each in self._beside if each in shape.texts]
        self._field = texts[0] if texts else found

    def has(self, field: str) -> bool:
        """Return whether sketches tell *field*."""
        return field in self._beside

    def tells(self, field: str, texts: int) -> bool:
        """Return whether sketches tell which documents have none of some *texts* of *field*."""
        return bool(self._beside) and field == self._field and texts <= TEXTS_MAX

    def tells_all(self, query: Query) -> bool:
        """Return whether sketches tell all that *query* compares, if not for certain."""
        within = [field for field, _ in query.within]
        without = () if query.without is None else query.without[:1]
        texts = [self.tells(field, len(group)) for field, group in query.holding]
        fields = map(self.has, (*query.residual, *within, *without))
        return not query.entered and all(texts) and all(fields)

    def name_of(self, field: str) -> str:
        """Return how a statement names *field*: in the sketch, or in the document."""
        return f"{self._called if self.has(field) else 'd'}.{quoted(field)}"

    def comparisons(self, query: Query) -> list[str]:
        """Return what sketches of documents with the texts of ``holding`` have in common."""
        has = _HAS.format(self._called)
        return [f"({' OR '.join([has] * len(each))})" for each in self._choices(query)]

    def parameters(self, query: Query) -> list[Any]:
        """Return the parameters of ``comparisons``."""
        choices = self._choices(query)
        return [told for each in choices for low, high in each for told in (low, low, high, high)]

    def _choices(self, query: Query) -> Sequence[Sequence[tuple[int, int]]]:
        told = [(*group,) for field, group in query.holding if self.tells(field, len(group))]
        return _bits_of_choices(tuple(told))


@lru_cache(4_096)
def _bits_of_choices(groups: tuple[tuple[str, ...], ...]) -> Sequence[Sequence[tuple[int, int]]]:
    """Return bits of which a document has all of one of each list: first, what it must have."""
    must = [group[0] for group in groups if len(group) == 1]
    found = [[bits_of_all(must)]] if must else []
    return found + [[bits_of(text) for text in each] for each in groups if len(each) > 1]
