"""Audit trail: an organization's events, newest first, filtered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from audit.category import Category, events_of
from audit.opened import Opened, Unread, open_all
from domain.base import OrgId
from domain.hooks.webhook.state import pattern_covers
from eventstore.engine.turns import PIECE
from eventstore.event_json import told_json, unrecorded_json
from eventstore.log import EventLog
from eventstore.log_reads import SEQUENCE_MAX
from eventstore.recorded import Row, fills_read, microseconds, recorded_time

SCAN_MAX = 10_000
"""Events scanned for one page; a page that finds fewer says where to continue."""


class TrailFilter(Struct, frozen=True, kw_only=True):
    """Which events to show; None matches all.

    ``type`` is the name of an event or a pattern, as for a webhook (see ``pattern_covers``).
    ``actor`` also matches what was done on somebody's behalf, with their API keys.
    """

    type: str | None = None
    category: Category | None = None
    stream: UUID | None = None
    actor: UUID | None = None
    request_id: str | None = None
    ip: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class TrailPage(Struct, frozen=True):
    """Entries, newest first, and the sequence number below which the next page begins, if any."""

    entries: list[Opened | Unread]
    next_before: int | None


async def read_trail(
    log: EventLog, org_id: OrgId, wanted: TrailFilter, limit: int, before: int = SEQUENCE_MAX
) -> TrailPage:
    """Return at most *limit* events of the organization with a sequence number below *before*."""
    found: list[Opened | Unread] = []
    scanned = 0
    while scanned < SCAN_MAX:
        rows = await log.organization_before(org_id, before, PIECE)
        for opened in await _matching(log, rows, wanted):
            found.append(opened)
            if len(found) == limit:
                more = opened.row.org_seq > 1
                return TrailPage(found, opened.row.org_seq if more else None)
        if not fills_read(rows, PIECE) or (
            wanted.since and rows[-1].recorded_at < microseconds(wanted.since)
        ):
            return TrailPage(found, None)
        scanned += len(rows)
        before = rows[-1].org_seq
    return TrailPage(found, before)


async def _matching(log: EventLog, rows: list[Row], wanted: TrailFilter) -> list[Opened | Unread]:
    candidates = [row for row in rows if _may_match(row, wanted)]
    async with log.turns:
        return [opened for opened in await open_all(log, candidates) if _matches(opened, wanted)]


def _may_match(row: Row, wanted: TrailFilter) -> bool:
    """Return whether *row* can match, judging by its columns alone."""
    return (
        (wanted.type is None or pattern_covers(wanted.type, row.tag))
        and (wanted.category is None or row.tag in events_of(wanted.category))
        and (wanted.stream is None or row.stream_id == wanted.stream)
        and (wanted.since is None or row.recorded_at >= microseconds(wanted.since))
        and (wanted.until is None or row.recorded_at < microseconds(wanted.until))
    )


def _matches(opened: Opened | Unread, wanted: TrailFilter) -> bool:
    if isinstance(opened, Unread):  # nobody knows whose it is
        return wanted.actor is None and wanted.request_id is None and wanted.ip is None
    metadata = opened.stored.metadata
    return (
        (wanted.actor is None or wanted.actor in (metadata.actor.id, metadata.on_behalf_of))
        and (wanted.request_id is None or metadata.request_id == wanted.request_id)
        and (wanted.ip is None or opened.origin[0] == wanted.ip)
    )


def entry_json(opened: Opened | Unread) -> dict[str, Any]:
    """Return an event as the audit log shows it: with its time, command and origin."""
    if isinstance(opened, Unread):
        return _unreadable_json(opened.row)
    row, metadata = opened.row, opened.stored.metadata
    entry = told_json(row, metadata, opened.data, recorded_time(row.recorded_at))
    for name, value in zip(("ip", "userAgent"), opened.origin, strict=True):
        if value is not None:
            entry[name] = value
    return entry


def _unreadable_json(row: Row) -> dict[str, Any]:
    """Return what is known of an event that cannot be read; its place and time are."""
    return {
        "id": row.id,
        "organizationId": row.org_id,
        "seq": row.org_seq,
        **unrecorded_json(row.tag, row.stream_id, row.version, {}),
        **dict.fromkeys(("actor", "command", "requestId", "correlationId", "causationId")),
        "at": recorded_time(row.recorded_at),
        "unreadable": True,
    }
