"""Undoing of events that a story begins with, as the log would have told them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from commands.undo.answers import creates
from commands.undo.changed import RecalledEvent
from commands.undo.undo_changes import UndoChanges
from commands.undo.undoing import Undone
from domain.base import Event, TaskId, UserId
from domain.catalog import state_of
from tests.domain.spec import ANA, NOW
from tests.spec import Past, data_keys

NAME = "spring-cleaning"


def recalled(
    past: Past, undone: int = 1, *, by: UserId | None = ANA, request: str = "one"
) -> list[RecalledEvent]:
    """Return the last *undone* events of *past* as they are recalled."""
    kind = state_of(type(past.events[0]))
    state: Any = kind()
    found: list[RecalledEvent] = []
    for seq, event in enumerate(past.events, start=1):
        before, state = state, state.evolve(event)
        if seq > len(past.events) - undone:
            found.append(_one(event, past.stream, seq, before, state, by, request, NOW))
    return found


def _one(  # noqa: PLR0913, PLR0917 - all of it is recalled
    event: Event,
    stream: UUID,
    seq: int,
    before: Any,
    after: Any,
    by: UserId | None,
    request: str,
    at: datetime,
) -> RecalledEvent:
    return RecalledEvent(
        event=event,
        stream=stream,
        seq=seq,
        by=by,
        request_id=request,
        at=at,
        creation=creates(type(event)),
        before=before,
        after=after,
    )


def undoing(
    *events: RecalledEvent | Iterable[RecalledEvent],
    below: dict[UUID, tuple[TaskId, ...]] | None = None,
    note: list[Undone] | None = None,
) -> UndoChanges:
    """Return the command that undoes *events*."""
    every: list[RecalledEvent] = []
    for each in events:
        every += [each] if isinstance(each, RecalledEvent) else each
    return UndoChanges(
        correlation_id=NAME,
        recalled=tuple(every),
        below=below or {},
        fingerprint=data_keys().fingerprint,
        note=(note if note is not None else []).append,
    )
