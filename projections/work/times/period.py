"""Periods of time in which tasks were created, changed or completed, as lists are asked for them.

They are compared by microseconds since 1970, which take a quarter of the space of text.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from domain.work.task.state import Task
from eventstore.recorded import microseconds
from projections.base import exact_time
from projections.shape import Kind, Value, entry
from projections.work.task_keys import changed_key, created_key

_FIRST, _LAST = -(2**62), 2**62
"""Before and behind all times."""
_BEHIND = ":"
"""Behind the sort keys of all times, which begin with digits."""


COMPLETED = "@completed"
"""The name of the entry that tells when a task was completed; no custom field has such a key."""
TIMES: Mapping[str, Kind] = {
    "created": Kind.TEXT,
    "changed": Kind.TEXT,
    "created_us": Kind.INTEGER,
    "changed_us": Kind.INTEGER,
    "completed_us": Kind.INTEGER,
}
"""When something happened to a task: sort keys, and microseconds."""


def times_of(task: Task, changed_at: datetime | None) -> Mapping[str, Value]:
    """Return the fields of ``TIMES``."""
    return {
        "created": created_key(task),
        "changed": changed_key(task, changed_at),
        "created_us": _told(task.created_at),
        "changed_us": _told(changed_at),
        "completed_us": _told(task.completed_at),
    }


def completed_entries(task: Task) -> list[str]:
    """Return the entry that sorts *task* by when it was completed; none if it is not."""
    if task.completed_at is None:
        return []
    return [entry(COMPLETED, f"{exact_time(task.completed_at)}!{task.key}")]


def _told(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


class Period(NamedTuple):
    """From a time on and before another; None: there is no end."""

    begin: datetime | None = None
    end: datetime | None = None

    @property
    def span(self) -> tuple[str | None, str | None]:
        """Between which sort keys that begin with their times all of its tasks are."""
        low, high = self
        return None if low is None else exact_time(low), None if high is None else exact_time(high)

    @property
    def entries(self) -> tuple[str, str]:
        """The same of the entries by when tasks were completed."""
        low, high = self.span
        return low or "", high or _BEHIND

    @property
    def microseconds(self) -> tuple[int, int]:
        """From which microsecond on, and before which one."""
        low, high = self
        return (
            _FIRST if low is None else microseconds(low),
            _LAST if high is None else microseconds(high),
        )
