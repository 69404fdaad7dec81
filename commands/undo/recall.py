"""Reads what was recorded under a correlation id, with the states of the streams around it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from commands.undo.answers import answer_to, creates
from commands.undo.changed import Final, RecalledEvent
from domain.base import Event, OrgId, State, UserId
from domain.catalog import state_of
from domain.work.relation import DependencyGraph
from eventstore.engine.turns import PIECE, STREAM_PIECE
from eventstore.log import EventLog
from eventstore.recorded import ActorKind, Metadata, Recorded


async def recall(
    log: EventLog, org_id: OrgId, correlation_id: str, sequences: Sequence[int]
) -> list[RecalledEvent]:
    """Return those of an organization's events that have a correlation id, in order.

    A read model told their *sequences*; each is compared with what the log says. Of many, others
    have their turn between.
    """
    found: dict[int, RecalledEvent] = {}
    compared: dict[UUID, dict[int, RecalledEvent]] = {}
    for at in range(0, len(sequences), PIECE):
        async with log.turns:
            rows = await log.organization_at(org_id, sequences[at : at + PIECE])
            for one in await log.decoded(rows):
                metadata = one.metadata
                if metadata.correlation == correlation_id:
                    found[one.org_seq] = recalled = _recalled(one, metadata)
                    if _is_compared(one.event):
                        compared.setdefault(one.stream_id, {})[one.version] = recalled
    for stream, versions in compared.items():
        found.update(await _with_states(log, org_id, stream, versions))
    return [*found.values()]


def _is_compared(event: Event) -> bool:
    """Return whether what an event changed is compared with what is there now.

    Relations are compared by themselves: their stream is that of the whole organization.
    """
    kind = type(event)
    if state_of(kind) is DependencyGraph or isinstance(answer_to(kind), Final):
        return False
    return not creates(kind)


async def _with_states(
    log: EventLog, org_id: OrgId, stream: UUID, versions: Mapping[int, RecalledEvent]
) -> dict[int, RecalledEvent]:
    """Return events of one stream, given by their versions, with the states around each."""
    kind = state_of(type(next(iter(versions.values())).event))
    state: State = kind()
    found: dict[int, RecalledEvent] = {}
    version, last = 0, max(versions)
    while version < last:
        async with log.turns:
            history = await log.history(stream, org_id, version, STREAM_PIECE)
            if not history.events:
                break
            for event in history.events:
                version += 1
                before, state = state, state.evolve(event)
                if version in versions:
                    one = versions[version]
                    found[one.seq] = replace(one, before=before, after=state)
    return found


def _recalled(one: Recorded, metadata: Metadata) -> RecalledEvent:
    by = None if metadata.actor.kind is ActorKind.SYSTEM else UserId(metadata.subject)
    return RecalledEvent(
        event=one.event,
        stream=one.stream_id,
        seq=one.org_seq,
        by=by,
        request_id=metadata.request_id,
        at=one.at,
        creation=creates(type(one.event)),
    )
