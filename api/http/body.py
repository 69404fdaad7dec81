"""Request bodies: strict JSON decoded into structs, or a problem that says which field is wrong."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from api.http.problem import FieldError, invalid, malformed, unknown

T = TypeVar("T")

_PLACE = re.compile(r"(.*) - at `(?:key` in `)?(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_PATTERN = "Expected `str` matching regex"
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
    if said.startswith(_PATTERN):
        forms = " or ".join(_forms_at(kind, path))
        return FieldError(path, f"Expected {forms}" if forms else said)
    missing = _MISSING.fullmatch(said)
    if missing:
        return FieldError(f"{path}.{missing[1]}", "This field is required")
    surplus = _UNKNOWN.fullmatch(said)
    if surplus:
        name = surplus[1]
        return FieldError(f"{path}.{name}", unknown("field", name, _fields_at(kind, path)))
    return FieldError(path, said)


def _fields_at(kind: Any, path: str) -> tuple[str, ...]:
    """Return which fields an object at *path* in a *kind* can have, as in ``$.set.labels``."""
    structs = [each for each in _types_at(kind, path) if isinstance(each, inspect.StructType)]
    return tuple({field.encode_name: None for each in structs for field in each.fields})


def _forms_at(kind: Any, path: str) -> list[str]:
    """Return what a text at *path* in a *kind* has to be like, as ``patterned`` says it."""
    marked: list[Any] = [
        each.extra  # pyright: ignore[reportUnknownMemberType]  # any dictionary
        for each in _types_at(kind, path)
        if isinstance(each, inspect.Metadata)
    ]
    return [extra["expected"] for extra in marked if extra and "expected" in extra]


def _types_at(kind: Any, path: str) -> list[inspect.Type]:
    """Return all types that a value at *path* in a *kind*, or what it contains, may have."""
    here = [*_spread(inspect.type_info(kind))]
    for name in _ITEM.sub("", path).split(".")[1:]:
        structs = [each for each in here if isinstance(each, inspect.StructType)]
        fields = [field for each in structs for field in each.fields if field.encode_name == name]
        here = [each for field in fields for each in _spread(field.type)]
    return here


def _spread(outer: inspect.Type) -> Iterator[inspect.Type]:
    """Yield *outer* and the types within, but not those of the fields of a struct."""
    yield outer
    inner = list[inspect.Type]()
    if isinstance(outer, inspect.UnionType):
        inner += outer.types
    elif isinstance(outer, inspect.CollectionType):
        inner.append(outer.item_type)
    elif isinstance(outer, inspect.DictType):
        inner += (outer.key_type, outer.value_type)
    elif isinstance(outer, inspect.Metadata):
        inner.append(outer.type)
    for each in inner:
        yield from _spread(each)


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
