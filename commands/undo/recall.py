"""Reads what was recorded under a correlation id, with the states of the streams around it."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec.structs import replace

from commands.undo.answers import answer_to, creates
from commands.undo.changed import Final, RecalledEvent
from domain.base import Event, OrgId, State, UserId
from domain.catalog import state_of
from domain.work.relation import DependencyGraph
from eventstore.engine.turns import PIECE, STREAM_PIECE
from eventstore.log import EventLog
from eventstore.recorded import ActorKind, Recorded

Around = dict[int, tuple[State, State]]
"""The states of a stream before and after some of its versions."""


async def recall(
    log: EventLog, org_id: OrgId, correlation_id: str, sequences: Sequence[int]
) -> list[RecalledEvent]:
    """Return those of an organization's events that have a correlation id, in order.

    A read model told their *sequences*; each is compared with what the log says.
    """
    found: list[Recorded] = []
    for at in range(0, len(sequences), PIECE):
        async with log.turns:
            rows = await log.organization_at(org_id, sequences[at : at + PIECE])
            decoded = await log.decoded(rows)
            found += [one for one in decoded if one.metadata.correlation == correlation_id]
    versions: dict[UUID, list[Recorded]] = {}
    for one in found:
        if _is_compared(one.event):
            versions.setdefault(one.stream_id, []).append(one)
    around = {stream: await _around(log, org_id, of) for stream, of in versions.items()}
    return [_with_states(one, around.get(one.stream_id, {})) for one in found]


def _is_compared(event: Event) -> bool:
    """Return whether what an event changed is compared with what is there now.

    Relations are compared by themselves: their stream is that of the whole organization.
    """
    kind = type(event)
    if state_of(kind) is DependencyGraph or isinstance(answer_to(kind), Final):
        return False
    return not creates(kind)


async def _around(log: EventLog, org_id: OrgId, wanted: Iterable[Recorded]) -> Around:
    """Return the states of one stream around the events *wanted*, in turns."""
    versions = {one.version: one for one in wanted}
    first = next(iter(versions.values()))
    state: State = state_of(type(first.event))()
    around: Around = {}
    version, last = 0, max(versions)
    while version < last:
        async with log.turns:
            history = await log.history(first.stream_id, org_id, version, STREAM_PIECE)
            if not history.events:
                break
            for event in history.events:
                version += 1
                before, state = state, state.evolve(event)
                if version in versions:
                    around[version] = before, state
    return around


def _with_states(one: Recorded, around: Around) -> RecalledEvent:
    metadata, kind = one.metadata, type(one.event)
    by = None if metadata.actor.kind is ActorKind.SYSTEM else UserId(metadata.subject)
    recalled = RecalledEvent(
        event=one.event,
        stream=one.stream_id,
        seq=one.org_seq,
        by=by,
        request_id=metadata.request_id,
        at=one.at,
        creation=creates(kind),
    )
    states = around.get(one.version)
    return recalled if states is None else replace(recalled, before=states[0], after=states[1])
