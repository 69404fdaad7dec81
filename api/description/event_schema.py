"""Events as receivers see them: their names, meaning and the JSON Schema of their data."""

from typing import Any

import msgspec
from msgspec import Struct

from domain.base import Event
from domain.catalog import PUBLIC_EVENT_TYPES


class EventKind(Struct, frozen=True):
    """One type of event; ``schema`` is the JSON Schema 2020-12 of its ``data``."""

    type: str
    description: str
    schema: dict[str, Any]


def _kind(tag: str, event: type[Event]) -> EventKind:
    (schema,), definitions = msgspec.json.schema_components((event,))
    data: dict[str, Any] = definitions.pop(schema["$ref"].rpartition("/")[2])
    data["properties"].pop("type")  # it is next to the data, not inside
    data["required"] = [name for name in data.get("required", []) if name != "type"]
    data.pop("title", None)
    for name in event.hidden:
        data["properties"].pop(name)
    inlined: dict[str, Any] = _inlined(data, definitions)
    return EventKind(tag, " ".join((event.__doc__ or "").split()), inlined)


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """Return *part* with its references replaced by what they refer to."""
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/")[2]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # any JSON Schema
        if name:
            return _inlined(definitions[name], definitions)
        return {key: _inlined(value, definitions) for key, value in part.items()}  # pyright: ignore[reportUnknownVariableType]  # any JSON Schema
    if isinstance(part, list):
        return [_inlined(value, definitions) for value in part]  # pyright: ignore[reportUnknownVariableType]  # any JSON Schema
    return part


EVENT_KINDS = [_kind(tag, event) for tag, event in PUBLIC_EVENT_TYPES.items()]
"""Every type of event of an organization."""
