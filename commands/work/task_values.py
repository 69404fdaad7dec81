"""What the fields of a task may hold."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from domain.base import UserId
from domain.work.task.errors import TimeOutOfRange
from domain.work.task.mentions import MENTIONS_MAX

Description = Annotated[str, Meta(max_length=100_000)]
Mentions = Annotated[tuple[UserId, ...], Meta(max_length=MENTIONS_MAX)]
DueTime = Annotated[datetime, Meta(tz=True)]
Estimate = Annotated[int, Meta(ge=0, le=100_000)]
"""In the unit that the team uses, such as points or hours."""


def in_utc(at: datetime | None) -> datetime | None:
    """Return a time that was given in any zone in UTC.

    :raises TimeOutOfRange: its year is none there.
    """
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError:
        raise TimeOutOfRange from None
