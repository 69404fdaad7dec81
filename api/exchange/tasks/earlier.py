"""What an import that goes on did before it was interrupted, as its events in the log tell."""

from datetime import timedelta
from uuid import UUID

from commands.exchange.import_piece import Earlier
from domain.base import OrgId
from domain.work.relation import Relation, RelationAdded
from eventstore.engine.turns import PIECE
from eventstore.log import EventLog
from eventstore.log_reads import SEQUENCE_MAX
from eventstore.operations.records import ImportProgress
from eventstore.recorded import microseconds

_BEGAN_BEFORE = timedelta(minutes=5)
"""How long before it is known when it started its first events can be, with clocks that differ."""


async def done_earlier(log: EventLog, org_id: OrgId, told: ImportProgress) -> Earlier:
    """Return what the last run of an import did, of which *told* is how far it was.

    The events of the organization since then are looked through, newest first, some at a time.
    """
    streams: set[UUID] = set()
    relations: set[Relation] = set()
    since, named = microseconds(told.started_at - _BEGAN_BEFORE), told.correlation_id.encode()
    before = SEQUENCE_MAX
    while True:
        async with log.turns:
            rows = await log.organization_before(org_id, before, PIECE)
            for each in await log.decoded([row for row in rows if named in row.state]):
                if each.metadata.correlation_id != told.correlation_id:
                    continue
                streams.add(each.stream_id)
                if isinstance(added := each.event, RelationAdded):
                    relations.add(Relation(added.kind, added.from_, added.to))
        if not rows or rows[-1].recorded_at < since:
            return Earlier(frozenset(streams), frozenset(relations))
        before = rows[-1].org_seq
