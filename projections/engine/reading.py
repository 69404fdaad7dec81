"""Reads the log for projectors: each event is decoded once for all collections."""

from collections.abc import Iterable, Sequence

from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.recorded import Recorded, Row
from projections.base import document_id
from projections.engine.folding import AnyFolder
from projections.engine.store import Parked, ReadStore, Written


async def fold_rows(
    log: EventLog, store: ReadStore, rows: Sequence[Row], folders: Sequence[AnyFolder]
) -> tuple[list[Written], list[Parked]]:
    """Return the changes that *rows* make in the collections of *folders*, and what failed.

    :raises LogUnavailable: the key of an event could not be read.
    :raises ReadStoreUnavailable: the documents could not be loaded.
    :raises ProjectionFailed: a strict folder met an event that cannot be folded.
    """
    wanting = _wanting(folders)
    events, broken = await _decoded(log, [row for row in rows if row.tag in wanting])
    shares: list[list[Recorded]] = [[] for _ in folders]
    for event in events:
        for at in wanting[event.tag]:
            shares[at].append(event)
    written: list[Written] = []
    parked: list[Parked] = []
    for folder, share in zip(folders, shares, strict=True):
        missing = folder.begin(share)
        _park_broken(folder, broken)
        if missing:
            folder.know(await store.load(folder.target, missing))
        changed = folder.fold()
        if changed.documents:
            written.append(changed)
        parked += folder.failed()
    return written, parked


def _wanting(folders: Sequence[AnyFolder]) -> dict[str, list[int]]:
    """Return, by tag, the indexes of the *folders* that process such an event."""
    wanting: dict[str, list[int]] = {}
    for at, folder in enumerate(folders):
        for tag in folder.tags:
            wanting.setdefault(tag, []).append(at)
    return wanting


def _park_broken(folder: AnyFolder, broken: Iterable[tuple[Row, Exception]]) -> None:
    for row, failure in broken:
        if row.tag in folder.tags:
            folder.park(document_id(row.org_id, row.stream_id), row, failure)


async def _decoded(
    log: EventLog, rows: list[Row]
) -> tuple[list[Recorded], list[tuple[Row, Exception]]]:
    try:
        return await log.decoded(rows), []
    except LogUnavailable:
        raise
    except Exception:  # noqa: BLE001 - one of them cannot be read; the code below finds which
        events: list[Recorded] = []
    broken: list[tuple[Row, Exception]] = []
    for row in rows:
        try:
            events += await log.decoded([row])
        except LogUnavailable:
            raise
        except Exception as failure:  # noqa: BLE001 - any error concerns only this stream
            broken.append((row, failure))
    return events, broken
