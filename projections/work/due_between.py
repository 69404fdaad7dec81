"""When tasks are due between days and times of some time zone, in the order of all due dates."""

from collections.abc import Iterator
from datetime import date, timedelta

from projections.work.task_filter import DueRanges, Span, spans_apart
from projections.work.task_keys import NEVER_DUE, due_on_day

_DAY = timedelta(days=1)
WHENEVER = DueRanges((("", NEVER_DUE),))
"""On any day and at any time."""


def due_between(first: date | None, after: date | None, begin: str, end: str) -> DueRanges:
    """Return when tasks are due from a day on and before another, or from *begin* until *end*.

    These are times in UTC, where a day begins within a day of when it does in any time zone. So
    the order of all due dates tells days and times apart except around both ends.
    """
    spans = [(begin, end)]
    for day in _around(first, after):
        behind_times = due_on_day(day)
        if (first is None or day >= first) and (after is None or day < after):
            spans.append(behind_times)
        else:
            spans = [part for span in spans for part in _without(span, behind_times)]
    return DueRanges(spans_apart(span for span in spans if span[0] < span[1]) or (("", ""),))


def _around(first: date | None, after: date | None) -> Iterator[date]:
    """Yield the days on both sides of each end."""
    for day in {first, after} - {None}:
        if day is not None:
            yield from (day - _DAY, day)


def _without(span: Span, gap: Span) -> Iterator[Span]:
    """Yield what is left of *span* before and behind *gap*; it may be nothing."""
    yield span[0], min(span[1], gap[0])
    yield max(span[0], gap[1]), span[1]
