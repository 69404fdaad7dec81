"""When a delivery is retried, and what a response means for it and its endpoint."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec import Struct
from msgspec.structs import replace

from deliveries.client import ReceiverResponse
from deliveries.dialing import SendFailed
from domain.hooks.webhook.events import PauseCause
from eventstore.operations.records import DeliveryStatus, Endpoint

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

GONE = 410  # RFC 9110, 15.5.11
TELL_WHEN = (429, 503)  # RFC 6585 section 4 and RFC 9110, 15.6.4: may say Retry-After


class Schedule(Struct, frozen=True, kw_only=True):
    """The retry schedule: the pause before each attempt, including the first.

    Ten attempts within about three days. ``jitter`` varies each pause by up to that share in both
    directions, so that what failed together is not retried together. After ``breaker_after``
    failures in a row an endpoint is only probed, at first after ``breaker_pause``, doubling up to
    ``breaker_pause_max``; deliveries that wait meanwhile use up no attempts. After
    ``give_up_after`` with nothing but failures the webhook is paused.
    """

    pauses: tuple[timedelta, ...] = (
        timedelta(0),
        5 * SECOND,
        5 * MINUTE,
        30 * MINUTE,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
    )
    jitter: float = 0.2
    retry_after_max: timedelta = 24 * HOUR
    breaker_after: int = 10
    breaker_pause: timedelta = 5 * SECOND
    breaker_pause_max: timedelta = 10 * MINUTE
    give_up_after: timedelta = timedelta(days=5)

    def pause(self, tries: int, chance: Callable[[], float] = random.random) -> timedelta | None:
        """Return the pause after *tries* failed attempts; None if that was the last."""
        if tries >= len(self.pauses):
            return None
        return self.pauses[tries] * (1 + self.jitter * (2 * chance() - 1))

    def breaker(self, fails: int) -> timedelta:
        """Return how long to pause an endpoint after *fails* failures in a row."""
        if fails < self.breaker_after:
            return timedelta(0)
        doubled = min(fails - self.breaker_after, 30)
        return min(self.breaker_pause * (1 << doubled), self.breaker_pause_max)


class Verdict(Struct, frozen=True, kw_only=True):
    """The consequence of an attempt for its delivery and, possibly, its endpoint."""

    status: DeliveryStatus
    next_at: datetime | None = None
    hold_until: datetime | None = None
    disable: PauseCause | None = None


def judge(
    schedule: Schedule, tries: int, outcome: ReceiverResponse | SendFailed, now: datetime
) -> Verdict:
    """Return what happens to a delivery whose attempt number *tries* ended with *outcome*."""
    status = outcome.status if isinstance(outcome, ReceiverResponse) else 0
    if 200 <= status < 300:
        return Verdict(status=DeliveryStatus.SUCCESS)
    if status == GONE:
        # Kept open, so that nothing is skipped if the endpoint is resumed.
        retrying = DeliveryStatus.RETRYING
        return Verdict(status=retrying, next_at=now, disable=PauseCause.GONE)
    asked = None
    if isinstance(outcome, ReceiverResponse) and status in TELL_WHEN:
        asked = retry_after(outcome.headers.get("retry-after", ""), now)
    pause = schedule.pause(tries)
    hold_until = now + min(asked, schedule.retry_after_max) if asked is not None else None
    if pause is None:
        return Verdict(status=DeliveryStatus.FAILED, hold_until=hold_until)
    next_at = now + pause
    if hold_until is not None:
        next_at = max(next_at, hold_until)
    return Verdict(status=DeliveryStatus.RETRYING, next_at=next_at, hold_until=hold_until)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """Return the pause that Retry-After asks for (RFC 9110, 10.2.3): seconds or a date."""
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return timedelta(seconds=int(value))
    try:
        then = parsedate_to_datetime(value)
        if then.tzinfo is None:
            then = then.replace(tzinfo=UTC)
        return max(then - now, timedelta(0))
    except (ValueError, OverflowError):  # no date, or one beyond what a date can be
        return None


class Health(Struct, kw_only=True, frozen=True):
    """The health of an endpoint: failures in a row, since when, and how long to pause.

    ``failed_at`` is when the newest counted failure became known.
    """

    fails: int = 0
    first_fail: datetime | None = None
    failed_at: datetime | None = None
    open_until: datetime | None = None

    def after(
        self, verdict: Verdict, schedule: Schedule, began: datetime, now: datetime
    ) -> "Health":
        """Return the health after one more attempt, which *began* then and is known *now*.

        Concurrent attempts at the moment the receiver went down count as one failure: an attempt
        that began before the last failure was known says nothing new. So only a probe, which is
        sent alone, extends the pause.
        """
        if verdict.status is DeliveryStatus.SUCCESS:
            return Health()
        asked = verdict.hold_until
        if self.failed_at is not None and began < self.failed_at:
            return replace(self, open_until=_later(self.open_until, asked))
        fails = self.fails + 1
        pause = schedule.breaker(fails)
        return Health(
            fails=fails,
            first_fail=self.first_fail or now,
            failed_at=now,
            open_until=_later(now + pause if pause else None, asked),
        )

    def is_hopeless(self, schedule: Schedule, now: datetime) -> bool:
        """Return whether there have been only failures for too long."""
        return self.first_fail is not None and now - self.first_fail >= schedule.give_up_after


def health_of(endpoint: Endpoint) -> Health:
    """Return the health stored in an endpoint's row."""
    return Health(**{name: getattr(endpoint, name) for name in Health.__struct_fields__})


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)
