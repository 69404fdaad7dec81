"""What lists leave out: labels and people that a task must not name, and that it was completed.

A task may have several of these, and no index has what it does not name. Each task is compared.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from api.work.tasks.filter_values import (
    ASSIGNEE,
    LABEL_OR_NONE,
    LEFT_OUT,
    NONE,
    PERSON,
    OneValue,
    filter_values,
)

_WORDS: Mapping[str, OneValue[Any]] = {
    "label": LABEL_OR_NONE,
    "assignee": ASSIGNEE,
    "watcher": PERSON,
    "creator": PERSON,
}
_UNFINISHED = b'"completedAt":null'
"""What a task says in a list, and nothing else in it does: inside a text, quotes are escaped."""


class _Named(Struct, frozen=True, rename="camel"):
    """Whom and what a task names."""

    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    watchers: tuple[str, ...]
    created_by: str | None

    def of(self, name: str) -> tuple[str | None, ...]:
        """Return what the filter *name* compares; `none` if that is nothing."""
        if name == "creator":
            return (self.created_by,)
        found: tuple[str, ...] = getattr(self, f"{name}s")
        return found or (NONE,)


_named = msgspec.json.Decoder(_Named).decode


class LeftOut(Struct, frozen=True):
    """What tasks of a list must not have: for each filter some ids, or `none`, which asks for any.

    With ``completed``, they must not be completed either.
    """

    ids: tuple[tuple[str, frozenset[str]], ...] = ()
    completed: bool = False

    @property
    def compares(self) -> bool:
        """Whether anything is left out."""
        return bool(self.ids) or self.completed

    def passes(self, task: bytes) -> bool:
        """Return whether a task as it is stored has nothing of this."""
        if self.completed and _UNFINISHED not in task:
            return False
        if not self.ids:
            return True
        named = _named(task)
        return all(ids.isdisjoint(named.of(name)) for name, ids in self.ids)


NOTHING_LEFT_OUT = LeftOut()


def told_apart(told: Mapping[str, Any]) -> tuple[Mapping[str, Any], LeftOut]:
    """Return the filters without what they leave out, and that.

    :raises Problem: 422 if what is left out is malformed or too much.
    """
    rest, ids = {**told}, list[tuple[str, frozenset[str]]]()
    for name, word in _WORDS.items():
        texts = str(told.get(name, "")).split(",")
        signed = [each.removeprefix(LEFT_OUT) for each in texts if each.startswith(LEFT_OUT)]
        if signed:
            values = filter_values(name, ",".join(signed), word)
            ids.append((name, frozenset(map(str, values))))
            del rest[name]
            if others := [each for each in texts if not each.startswith(LEFT_OUT)]:
                rest[name] = ",".join(others)
    completed = told.get("completed") == NONE
    if completed:
        del rest["completed"]
    return rest, LeftOut(tuple(ids), completed) if ids or completed else NOTHING_LEFT_OUT
