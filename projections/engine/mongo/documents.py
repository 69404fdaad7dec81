"""Maps documents and queries to MongoDB; every field keeps its own name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bson.int64 import Int64
from msgspec.structs import replace
from pymongo import ASCENDING, DESCENDING, IndexModel

from projections.base import Document
from projections.engine.query import Entered, Query
from projections.shape import BASE, ENTRY_SEPARATOR, Index, Kind, Shape, Value, entry

_BSON_TYPES: dict[Kind, list[str]] = {
    Kind.TEXT: ["string"],
    Kind.INTEGER: ["int", "long"],
    Kind.TRUTH: ["bool"],
    Kind.TEXTS: ["array"],
}
_NAMES = {"id": "_id"}
_ENTRY = "one_entry"
"""Where a pipeline has one of the entries of a document, which are compared as well."""
_BEHIND_ENTRIES = chr(ord(ENTRY_SEPARATOR) + 1)


def name_of(field: str) -> str:
    """Return the name of *field* in a stored document."""
    return _NAMES.get(field, field)


def stored(document: Document) -> dict[str, Any]:
    """Return a document in its stored form."""
    return {
        "_id": document.id,
        "org": document.org,
        "deleted": document.deleted,
        "position": document.position,
        "version": document.version,
        "updated_at": document.updated_at,
        **document.fields,
        "json": document.json,
    }


def loaded(shape: Shape, found: Mapping[str, Any]) -> Document:
    """Return the document in *found*."""
    return Document(
        id=found["_id"],
        org=found["org"],
        deleted=found["deleted"],
        position=found["position"],
        version=found["version"],
        updated_at=found["updated_at"],
        fields={field: _plain(found[field]) for field in shape.fields},
        json=bytes(found["json"]),
    )


def _plain(value: Any) -> Value:
    """Return a value that the driver may have given a type of its own: it does large numbers."""
    plain: Value = int(value) if type(value) is Int64 else value
    return plain


def validator(shape: Shape) -> dict[str, Any]:
    """Return the `$jsonSchema` of a collection."""
    properties: dict[str, Any] = {
        name_of(field): {"bsonType": _BSON_TYPES[kind]} for field, kind in BASE.items()
    }
    for field, kind in shape.fields.items():
        properties[field] = {"bsonType": [*_BSON_TYPES[kind], "null"]}
    properties["json"] = {"bsonType": "binData"}
    required = sorted(properties)
    return {"$jsonSchema": {"bsonType": "object", "required": required, "properties": properties}}


def index_model(index: Index) -> IndexModel:
    """Return an index as the driver creates it."""
    return IndexModel([(name_of(field), ASCENDING) for field in index.fields], name=index.name)


def filter_of(query: Query) -> dict[str, Any]:
    """Return the part of *query* that the index answers."""
    wanted: dict[str, Any] = {name_of(field): value for field, value in query.where.items()}
    if query.either:
        wanted[name_of(query.either[0])] = {"$in": list(query.either[1])}
    if query.between and query.contains:
        [low, high], name = query.hull, str(query.texts[0])
        within = {"$gt": entry(name, low), "$lt": entry(name, high)}
        return wanted | {query.contains[0]: {"$elemMatch": within}}
    if query.of_entries:
        return wanted | {query.sort: {"$elemMatch": _entries_within(query)}}
    if query.contains:
        field, texts = query.contains
        wanted[field] = texts if isinstance(texts, str) else {"$in": list(texts)}
    field, *ends = query.span or (query.sort, query.above, query.below)
    if found := _within(*ends):
        wanted[name_of(field)] = found
    if query.at is not None:
        wanted[name_of(query.sort)] = {**wanted.get(name_of(query.sort), {}), "$in": [*query.at]}
    if query.among is not None:
        wanted["_id"] = {**wanted.get("_id", {}), "$in": list(query.among)}
    return wanted


def _entries_within(query: Query) -> dict[str, Any]:
    """Return the comparison of the entries by the name that *query* searches for."""
    name = str(query.texts[0])
    high = f"{name}{_BEHIND_ENTRIES}" if query.below is None else entry(name, str(query.below))
    return {"$gt": entry(name, str(query.above or "")), "$lt": high}


def sort_of(query: Query) -> dict[str, int]:
    """Return the order of the list."""
    return {name_of(query.sort): DESCENDING if query.descending else ASCENDING}


def find_command(collection: str, query: Query, index: str) -> dict[str, Any]:
    """Return the command that finds a page in one batch: the sort key and the JSON of each."""
    key = name_of(query.sort)
    return {
        "find": collection,
        "filter": filter_of(query),
        "projection": {"_id": key == "_id", key: 1} | ({} if query.bare else {"json": 1}),
        "sort": sort_of(query),
        "limit": query.rows_max,
        "batchSize": query.rows_max,
        "singleBatch": True,
        "hint": index,
    }


def count_command(collection: str, query: Query, index: str, limit: int) -> dict[str, Any]:
    """Return the command that counts up to *limit* documents that the index finds."""
    found = filter_of(replace(query, above=None, below=None))
    return {"count": collection, "query": found, "limit": limit, "hint": index}


def pipeline(query: Query) -> list[dict[str, Any]]:
    """Return the stages that apply filters to rows: to a bounded number, if they are sifted."""
    sort = _ENTRY if query.of_entries else name_of(query.sort)
    tests, key = [*_tests(query)], f"${sort}"
    shown: dict[str, Any] = {"_id": 0, "k": key, "j": "$json"}
    if query.sifted:
        shown["j"] = {"$cond": [{"$and": tests}, "$json", None]}
        narrowing: list[dict[str, Any]] = []
    else:
        if query.put_in_order:
            found = _within(query.above, query.below).items()
            tests += [{operator: [key, bound]} for operator, bound in found]
        narrowing = [{"$match": {"$expr": {"$and": tests}}}] if tests else []
    direction = DESCENDING if query.descending else ASCENDING
    order, most = {"$sort": {sort: direction}}, {"$limit": query.rows_max}
    if query.of_entries:  # an index of texts is in no order of what it finds by one of them
        within = {"$match": {sort: _entries_within(query)}}
        each: list[dict[str, Any]] = [{"$addFields": {sort: f"${name_of(query.sort)}"}}]
        narrowing = [*each, {"$unwind": key}, within, *narrowing]
    return [{"$match": filter_of(query)}, *narrowing, order, most, {"$project": shown}]


def _within(above: Any, below: Any) -> dict[str, Any]:
    """Return the comparison with exclusive bounds, which may be missing."""
    bounds = zip(("$gt", "$lt"), (above, below), strict=True)
    return {operator: bound for operator, bound in bounds if bound is not None}


def _tests(query: Query) -> Iterator[dict[str, Any]]:
    """Yield the expressions of the filters that the index does not answer."""
    for field, value in query.residual.items():
        among = "$in" if isinstance(value, list) else "$eq"
        yield {among: [f"${name_of(field)}", value]}
    for field, texts in query.holding:
        yield _held(field, texts)
    for field, ranges in query.within:
        at = f"${name_of(field)}"
        yield {"$or": [{"$and": [{"$gte": [at, a]}, {"$lt": [at, b]}]} for a, b in ranges]}
    if query.without is not None:
        field, values = query.without
        yield {"$not": [{"$in": [f"${name_of(field)}", list(values)]}]}
    for each in query.entered:
        yield _entered(each)
    if len(query.between) > 1 and query.contains:  # the index has found what is within their ends
        yield _entered(Entered(query.contains[0], str(query.texts[0]), query.between))


def _entered(wanted: Entered) -> dict[str, Any]:
    """Return the expression that an entry is within one of some ranges, or that a text is there."""
    within = [
        {"$and": [{"$gt": ["$$this", low]}, {"$lt": ["$$this", high]}]} for low, high in wanted.ends
    ]
    there = {"$filter": {"input": _texts_of(wanted.field), "cond": {"$or": within}}}
    found = {"$gt": [{"$size": there}, 0]}
    if not wanted.field_of_texts:
        return found
    return {"$or": [found, _held(wanted.field_of_texts, wanted.texts)]}


def _held(field: str, texts: Sequence[str]) -> dict[str, Any]:
    held = {"$setIntersection": [_texts_of(field), list(texts)]}
    return {"$gt": [{"$size": held}, 0]}


def _texts_of(field: str) -> dict[str, Any]:
    return {"$ifNull": [f"${name_of(field)}", []]}
