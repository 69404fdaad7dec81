"""Request bodies: strict JSON decoded into structs, or a problem that says which field is wrong."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from api.http.problem import FieldError, invalid, malformed, unknown
from domain.name import NAME_PATTERN

T = TypeVar("T")

_PLACE = re.compile(r"(.*) - at `(?:key in )?(.*)`", re.DOTALL)
_NO_NAME = f"Expected `str` matching regex {NAME_PATTERN!r}"
_ITEM = re.compile(r"\[[^]]*\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def decode_body(body: bytes, kind: type[T]) -> T:
    """Return *body* decoded as a *kind*.

    :raises Problem: 422 for wrong types, unknown or repeated names and NUL characters, 400 if it is
        not valid JSON.
    """
    try:
        value: T = _decoder(cast("Any", kind)).decode(body)
        if not _is_flat_and_unique(body):
            _UNIQUE.decode(body.decode())
    except msgspec.ValidationError as error:
        raise invalid(_field_error(str(error), kind)) from None
    except (ValueError, RecursionError) as error:
        raise malformed(f"The body is not valid JSON in UTF-8{_where(error)}.") from None
    if b"\\u0000" in body and _has_nul(json.loads(body)):
        raise invalid(FieldError("$", "Text must not contain NUL characters"))
    return value


def _where(error: ValueError | RecursionError) -> str:
    """Return what is wrong with JSON, and at which byte, if that is known."""
    said = str(error).removeprefix("JSON is malformed: ")
    return f": {said}" if isinstance(error, msgspec.DecodeError) else ""


def _field_error(message: str, kind: Any) -> FieldError:
    """Return the msgspec error *message* about a *kind* split into path and message."""
    place = _PLACE.fullmatch(message)
    said, path = (place[1], place[2]) if place else (message, "$")
    if said == _NO_NAME:
        return FieldError(path, "Expected one line of visible text, without control characters")
    surplus = _UNKNOWN.fullmatch(said)
    if surplus:
        name = surplus[1]
        return FieldError(f"{path}.{name}", unknown("field", name, _fields_at(kind, path)))
    return FieldError(path, said)


def _fields_at(kind: Any, path: str) -> tuple[str, ...]:
    """Return which fields an object at *path* in a *kind* can have, as in ``$.set.labels``."""
    here = [inspect.type_info(kind)]
    for field in _ITEM.sub("", path).split(".")[1:]:
        here = [inner for outer in here for inner in _inside(outer, field)]
    structs = [each for outer in here for each in _plain(outer)]
    return tuple({field: None for each in structs for field in _fields_of(each)})


def _inside(outer: inspect.Type, field: str) -> Iterator[inspect.Type]:
    """Yield the types of a *field* in *outer*."""
    for each in _plain(outer):
        if isinstance(each, inspect.StructType):
            yield from (f.type for f in each.fields if f.encode_name == field)


def _plain(outer: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types that a value of *outer*, or within its arrays, may have."""
    if isinstance(outer, inspect.UnionType):
        for each in outer.types:
            yield from _plain(each)
    elif isinstance(outer, inspect.CollectionType):
        yield from _plain(outer.item_type)
    elif isinstance(outer, inspect.Metadata):
        yield from _plain(outer.type)
    else:
        yield outer


def _fields_of(each: inspect.Type) -> Iterator[str]:
    if isinstance(each, inspect.StructType):
        yield from (field.encode_name for field in each.fields)


@lru_cache(256)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=True)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid(FieldError(f"$.{twice}", "The name is repeated"))
    return members


def _is_flat_and_unique(body: bytes) -> bool:
    """Return whether valid JSON is surely an object without repeated names; False if it is unclear.

    Where no quote is followed by a space, each name ends in ``":``, so there are at most as many
    names as there are of these. If an object has that many members, none was repeated, nor nested.
    """
    members = _any(body)
    return (
        isinstance(members, dict)
        and body.count(b'":') == len(cast("dict[str, Any]", members))
        # One by one: a loop takes ten times as long as its searches.
        and b'" ' not in body
        and b'"\t' not in body
        and b'"\r' not in body
        and b'"\n' not in body
    )


_any = msgspec.json.Decoder().decode

# msgspec keeps the last of repeated names, as most parsers do; a proxy may keep the first.
_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique)


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(part) for item in value.items() for part in item)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON value
    if isinstance(value, list):
        return any(_has_nul(part) for part in value)  # pyright: ignore[reportUnknownVariableType]  # any JSON value
    return isinstance(value, str) and "\0" in value
