"""Export: an organization's log as a verifiable file, streamed in constant memory."""

from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime

from msgspec import Struct

from audit.lines import Entry, Manifest, Trailer, event_line, manifest_line, skeleton_line
from audit.merkle import Frontier, leaf_hash
from audit.opened import Opened, Unread, open_all
from audit.tree_signer import TreeSigner
from domain.base import OrgId
from eventstore.engine.turns import PIECE
from eventstore.log import EventLog
from eventstore.recorded import Row
from eventstore.trees import TreeHead

CHECKPOINTS_MAX = 256
"""Checkpoints in a manifest; if there are more, the last of each of as many equal parts."""
SCHEMA_VERSION = 1


class Selection(Struct, frozen=True, kw_only=True):
    """What to export: an organization's events *first* to *last*, both included.

    With *types*, events of other types are exported as hashes only.
    """

    org_id: OrgId
    first: int
    last: int
    types: tuple[str, ...] = ()


async def export_lines(
    log: EventLog, tree_signer: TreeSigner, selection: Selection, now: Callable[[], datetime]
) -> AsyncIterator[bytes]:
    """Yield the export in chunks of whole lines; ``audit/lines.py`` describes the format.

    :raises LogTampered: the log contradicts an earlier signed checkpoint.
    """
    trailer = Trailer()
    manifest = await _manifest(log, tree_signer, selection, now())
    yield trailer.add(manifest_line(manifest))
    at = selection.first - 1
    while at < selection.last:
        rows = await log.organization(selection.org_id, at, min(PIECE, selection.last - at))
        if not rows:
            return  # no trailer, so the reader sees that the file is incomplete
        at = rows[-1].org_seq
        async with log.turns:
            lines = [trailer.add(line) for line in await _lines(log, rows, selection.types)]
        yield b"".join(lines)
    yield trailer.line()


async def _lines(log: EventLog, rows: list[Row], types: Collection[str]) -> list[bytes]:
    wanted = [row for row in rows if not types or row.tag in types]
    opened = {entry.row.org_seq: entry for entry in await open_all(log, wanted)}
    return [_line(row, opened.get(row.org_seq)) for row in rows]


def _line(row: Row, opened: Opened | Unread | None) -> bytes:
    if isinstance(opened, Opened):
        return event_line(_entry(opened))
    return skeleton_line(row.org_seq, leaf_hash(row.state), unreadable=opened is not None)


def _entry(opened: Opened) -> Entry:
    row = opened.row
    return Entry(
        seq=row.org_seq,
        recorded_at=instant(datetime.fromtimestamp(row.recorded_at / 1_000_000, UTC)),
        stream=str(row.stream_id),
        version=row.version,
        type=row.tag,
        hash=leaf_hash(row.state),
        state=row.state,
        disclosed=opened.disclosed or None,
    )


async def _heads_within(log: EventLog, selection: Selection) -> list[TreeHead]:
    """Return at most ``CHECKPOINTS_MAX`` signed tree heads between the two ends of *selection*."""
    first, last = max(selection.first - 1, 1), selection.last - 1
    step = max(1, -(-(last - first + 1) // CHECKPOINTS_MAX))
    found: dict[int, TreeHead] = {}
    size = last
    while size >= first:
        async with log.turns:
            head = await log.newest_tree_head(selection.org_id, size)
        if head is None or head.size < first:
            break
        found[head.size] = head
        size = min(size - step, head.size - 1)
    return [found[size] for size in sorted(found)]


async def _manifest(
    log: EventLog, tree_signer: TreeSigner, selection: Selection, now: datetime
) -> Manifest:
    org_id, first, last = selection.org_id, selection.first, selection.last
    before = None
    if first > 1:
        before = Frontier.from_bytes((await tree_signer.head_at(org_id, first - 1)).frontier)
    newest = await tree_signer.head_at(org_id, last)
    heads = await _heads_within(log, selection)
    return Manifest(
        organization=str(org_id),
        first=first,
        last=last,
        tree_size=last,
        schema_version=SCHEMA_VERSION,
        exported_at=instant(now),
        filter={"types": list(selection.types)} if selection.types else None,
        vkey=tree_signer.signer.vkey,
        checkpoints=(*(h.note for h in heads), newest.note),
        before=before,
        epoch=(await log.identity()).epoch,
    )


def instant(at: datetime) -> str:
    """Return *at* as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
