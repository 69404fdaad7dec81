"""Generates the events page: everything that can be stored, audited and sent to webhooks."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

from msgspec import UnsetType

import domain
from domain.base import Event
from domain.catalog import EVENT_TYPES
from eventstore.codec import PERSONAL
from tools.markdown import code, fence, meaning, page, table

Machine = Mapping[StrEnum, Sequence[StrEnum]]

_MACHINE = "_TRANSITIONS"
"""The suffix of the name of a transition table; the name begins with what it is about."""

_INTRO = """\
Every event that the log can contain. The **tag** is its stored name, its webhook `type` and its
name in the audit log, and never changes. A field marked **personal** is stored as a salted
commitment; its value is encrypted with the key of the stream and unreadable once that key is
destroyed (see [privacy](../explanation/privacy.md)). The envelope of each event says who caused
it, when and from where; see [the log](../explanation/the-log.md)."""


def events_page() -> str:
    """Return the page: a table per aggregate, then the status diagrams."""
    parts = [_INTRO]
    for kind in dict.fromkeys(_kind(tag) for tag in EVENT_TYPES):
        rows = [_row(tag, event) for tag, event in EVENT_TYPES.items() if _kind(tag) == kind]
        parts += [f"## {kind}", table(("tag", "class", "fields", "meaning"), rows)]
    for name, machine in machines().items():
        parts += [f"## Statuses of a {name}", status_diagram(machine)]
    return page("Events", *parts)


def machines() -> dict[str, Machine]:
    """Return every table of transitions in the domain, by what moves along it."""
    found: dict[str, Machine] = {}
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        loaded = importlib.import_module(module.name)
        for name, machine in vars(loaded).items():
            if name.endswith(_MACHINE):
                found[name.removesuffix(_MACHINE).lower()] = machine
    return dict(sorted(found.items()))


def status_diagram(machine: Machine) -> str:
    """Return *machine* as a mermaid state diagram; its first status is the initial one."""
    arrows = [f"    {at} --> {to}" for at, targets in machine.items() for to in targets]
    return fence("mermaid", ["stateDiagram-v2", f"    [*] --> {next(iter(machine))}", *arrows])


def fields_of(event: type[Event]) -> Iterator[tuple[str, str, bool]]:
    """Yield each field as in JSON: name, type, whether it is personal."""
    hints = get_type_hints(event)
    personal = PERSONAL[event].encoded
    names = zip(event.__struct_fields__, event.__struct_encode_fields__, strict=True)
    for attribute, name in names:
        yield name, type_name(hints[attribute]), attribute in personal


def _kind(tag: str) -> str:
    return tag.partition(".")[0]


def _row(tag: str, event: type[Event]) -> tuple[str, ...]:
    fields = (
        f"{code(name)}: {kind}{' (**personal**)' if personal else ''}"
        for name, kind, personal in fields_of(event)
    )
    return code(tag), code(event.__name__), "; ".join(fields) or "none", meaning(event)


_PLAIN: dict[Any, str] = {
    str: "text",
    int: "number",
    bool: "true or false",
    datetime: "time",
    UUID: "id",
    NoneType: "null",
    UnsetType: "absent",
}


def type_name(hint: Any) -> str:
    """Return the name of a type as readers of JSON know it."""
    parts = [type_name(part) for part in get_args(hint) if part is not Ellipsis]
    if not parts:
        return _PLAIN.get(hint) or str(hint.__name__)
    return f"list of {parts[0]}" if get_origin(hint) is tuple else " or ".join(parts)
