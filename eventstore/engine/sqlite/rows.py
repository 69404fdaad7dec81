"""Adds rows to an SQLite file, many of them by one statement."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from domain.base import OrgId
from eventstore.engine.beside import INSERT_EVENTS, TableWrite, event_rows
from eventstore.engine.schema import ROWS_TOGETHER, RUN, insert_run
from eventstore.engine.sqlite.driver import Database
from eventstore.recorded import Row

MANY_EVENTS = 500
"""Events of one transaction from which on it is worth finding those that follow each other."""

_INSERT_RUN = insert_run(INSERT_EVENTS.into)


def add_all(
    writer: Database,
    events: Sequence[Row],
    part_of: Callable[[OrgId], int],
    writes: Iterable[tuple[TableWrite, Sequence[Sequence[Any]]]],
) -> None:
    """Add *events* that a batch was given positions for, and run each of *writes* for its rows."""
    _add_events(writer, events, part_of)
    for write, rows in writes:
        _add_rows(writer, write, rows)


def _add_events(writer: Database, events: Sequence[Row], part_of: Callable[[OrgId], int]) -> None:
    """Add *events*: a few one by one, many in runs.

    A statement that adds several takes longer for each, but in a run they share parameters.
    """
    if len(events) < MANY_EVENTS:
        rows = event_rows(events, part_of, attrgetter("bytes"))
        writer.executemany(INSERT_EVENTS.of_values, rows)
        return
    chunks = (events[start : start + RUN] for start in range(0, len(events), RUN))
    for one_run, alike in groupby(chunks, _is_run):
        if one_run:
            writer.executemany(_INSERT_RUN, (_run(chunk, part_of) for chunk in alike))
        else:
            rows = event_rows(chain.from_iterable(alike), part_of, attrgetter("bytes"))
            _add_rows(writer, INSERT_EVENTS, rows)


def _add_rows(writer: Database, write: TableWrite, rows: Sequence[Sequence[Any]]) -> None:
    """Run *write* for its rows, for many rows of an insertion at once."""
    if isinstance(write, str):
        if rows:
            writer.executemany(write, rows)
        return
    together = len(rows) - len(rows) % ROWS_TOGETHER
    if together:
        joined = (
            [*chain.from_iterable(rows[start : start + ROWS_TOGETHER])]
            for start in range(0, together, ROWS_TOGETHER)
        )
        writer.executemany(write.of_many, joined)
    if together < len(rows):
        writer.executemany(write.of_values, rows[together:])


def _is_run(events: Sequence[Row]) -> bool:
    """Whether *events* are ``RUN`` that follow each other in one organization."""
    first, last = events[0], events[-1]
    return (
        len(events) == RUN
        and first.org_id == last.org_id
        and last.org_seq - first.org_seq == last.position - first.position == RUN - 1
    )


def _run(events: Sequence[Row], part_of: Callable[[OrgId], int]) -> list[Any]:
    """Return the parameters of a run."""
    first = events[0]
    values: list[Any] = [part_of(first.org_id), first.position, first.org_id.bytes, first.org_seq]
    stream, within = first.stream_id, first.stream_id.bytes
    for row in events:
        if row.stream_id is not stream:
            stream, within = row.stream_id, row.stream_id.bytes
        values += (within, row.version, row.tag, row.state, row.private, row.recorded_at)
    return values
