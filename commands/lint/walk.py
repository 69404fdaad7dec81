"""One pass over the whole log that checks every position, rule, claim and count.

It keeps the state of every stream in memory, about 1 kB each.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import msgspec

from commands.happening import Happening
from commands.lint.finding import LintFinding
from commands.lint.lost_texts import LostTexts
from commands.lint.plans import broken_plans
from commands.lint.relations import broken_relations
from commands.lint.rules import broken_rules
from commands.lint.tables import ExpectedTables
from commands.lint.trash import broken_trash
from commands.work.trash.things import PURGED
from domain.base import Event, OrgId
from domain.catalog import state_of
from domain.identity.organization.state import Organization
from domain.planning.view import SavedView
from domain.work.project.state import Project
from domain.work.team import Team
from eventstore.log import EventLog
from eventstore.partition import partition_of
from eventstore.recorded import Recorded, Row

BATCH = 1_000
_FORKING = "ForkOrganization"

QUIET_TRIES = 50
"""How often the tables are read again because something was recorded meanwhile."""


async def lint_log(log: EventLog) -> AsyncIterator[LintFinding]:
    """Yield everything that is wrong.

    What is recorded meanwhile is read as well, until nothing comes while the tables are read. If
    something always does, they are compared nevertheless, and what came last may be reported.
    """
    walk = _Walk(log)
    async for finding in _lint_events(log, walk):
        yield finding
    known: dict[int, int] = {}
    tables, tries = [], 0
    while walk.ends != known and tries < QUIET_TRIES:
        tries, known = tries + 1, {**walk.ends}
        tables = [(await log.claims_in(part), await log.counts_in(part)) for part in known]
        async for finding in _lint_events(log, walk):
            yield finding
    for finding in (*walk.expected.finish(), *walk.texts.finish()):
        yield finding
    for part, (claims, counts) in enumerate(tables):
        for finding in walk.expected.compare(part, claims, counts):
            yield finding
    async for finding in _lint_keys(log):
        yield finding


async def _lint_events(log: EventLog, walk: "_Walk") -> AsyncIterator[LintFinding]:
    """Yield what is wrong with the events that the walk has not come to yet."""
    for part in walk.ends:
        after = walk.ends[part]
        while rows := await log.tail_rows(after, BATCH, part=part):
            for row in rows:
                for what in walk.place(part, after, row):
                    yield LintFinding(part, row.position, what)
                after = row.position
                recorded = await _decoded(log, row)
                if recorded is None:
                    yield LintFinding(part, row.position, "the event cannot be read")
                    continue
                walk.texts.look(part, row, recorded)
                for what in walk.event(recorded):
                    yield LintFinding(part, row.position, what)
        walk.ends[part] = after


async def _lint_keys(log: EventLog) -> AsyncIterator[LintFinding]:
    """Yield the Idempotency-Keys of events that are not there."""
    for part in range(log.parts):
        for position, event_id in (await log.recorded_with_keys(part)).items():
            if await log.mark_at(position, part) != str(event_id):
                what = f"an Idempotency-Key was used for event {event_id}, which is not here"
                yield LintFinding(part, position, what)


async def _decoded(log: EventLog, row: Row) -> Recorded | None:
    try:
        [recorded] = await log.decoded([row])
    except (msgspec.MsgspecError, KeyError, ValueError):
        return None
    return recorded


class _Walk:
    """What the log says up to one event."""

    def __init__(self, log: EventLog) -> None:
        self.expected, self.texts = ExpectedTables(log.parts), LostTexts(log.keys)
        self.ends = dict.fromkeys(range(log.parts), 0)
        """The position in each partition up to which events were read."""
        self._parts, self._fingerprint = log.parts, log.keys.fingerprint
        self._states: dict[UUID, Any] = {}
        self._places: dict[UUID, tuple[int, OrgId]] = {}
        self._sequences: dict[OrgId, int] = {}

    def place(self, part: int, after: int, row: Row) -> Iterator[str]:
        """Yield what is wrong with the place of an event."""
        if row.position != after + 1:
            yield f"position {after + 1} is missing"
        if partition_of(row.org_id, self._parts) != part:
            yield "the organization belongs to another partition"
        version, owner = self._places.get(row.stream_id, (0, row.org_id))
        if row.version != version + 1 or row.org_id != owner:
            yield f"version {row.version} of its stream follows version {version}"
        self._places[row.stream_id] = (row.version, row.org_id)
        sequence = self._sequences.get(row.org_id, 0)
        if row.org_seq != sequence + 1:
            yield f"sequence {row.org_seq} of its organization follows {sequence}"
        self._sequences[row.org_id] = row.org_seq

    def event(self, recorded: Recorded) -> Iterator[str]:
        """Yield what is wrong with the contents of an event."""
        metadata = recorded.metadata
        place = (recorded.stream_id, recorded.version, recorded.recorded_at)
        if (metadata.stream, metadata.version, metadata.at) != place:
            yield "the envelope and the row name different places"
        kind = state_of(type(recorded.event))
        before = self._states.get(recorded.stream_id, kind())
        if not isinstance(before, kind):
            yield "its stream has events of another kind"
            return
        after = before.evolve(recorded.event)
        self._states[recorded.stream_id] = after
        owner = self._states.get(recorded.org_id, Organization())
        known, command = self._states.get, metadata.command
        narrowed = command == _FORKING and isinstance(after, Project | Team | SavedView)
        # What belongs to what is purged may be gone, and a fork hides things wherever they are.
        if not isinstance(recorded.event, PURGED) and not narrowed:
            yield from broken_rules(recorded.event, before, after, known, command)
            yield from broken_plans(recorded.event, before, after, known, owner)
        yield from broken_trash(recorded.event, before, after, self._states.get, owner)
        yield from broken_relations(recorded, before, self._states.get)
        yield from self._reserved(recorded, recorded.event, before)

    def _reserved(self, recorded: Recorded, event: Event, before: Any) -> Iterator[str]:
        owner = self._states.get(recorded.org_id)
        happened = Happening(
            type(event),
            event,
            before,
            recorded.stream_id,
            recorded.org_id,
            recorded.recorded_at,
            owner.plan if isinstance(owner, Organization) else None,
            self._fingerprint,
        )
        yield from self.expected.happen(happened, recorded.position)
        yield from self.expected.numbered(happened)
