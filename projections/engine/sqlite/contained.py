"""The tables by which lists find the documents that contain a text.

Each index that ``contains`` is one table, sorted by its *mark*, its sort key and the number of the
document's row: nothing else is stored, and nothing twice. A mark stands for the values that the
index compares and the text. These are some 120 characters, of which every entry would be a copy;
the mark has 16 bytes, and no two different ones were ever seen to be equal.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from projections.shape import Index

_MARK_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


def contained_table(collection: str, index: Index) -> str:
    """Return the name of the table that is an index of texts."""
    return f"{collection}__{index.name}"


@lru_cache(16_384)  # of a process; most tasks have the same few statuses, people and labels
def text_mark(compared: Sequence[Any], text: str) -> bytes:
    """Return the mark of a text in documents with the values *compared*."""
    # What is true is stored as 1.
    told = [int(value) if isinstance(value, bool) else value for value in compared]
    return blake2b(_encode((told, text)), digest_size=_MARK_BYTES).digest()
