"""When a delivery is tried again, and what an answer means for it and for its endpoint."""

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
    """Retries as data: pauses before each try, the first included.

    Ten tries over some three days. ``jitter`` spreads each pause by that share both ways, so that
    what failed together does not come back together. After ``breaker_after`` failures in a row an
    endpoint is only probed, at first each ``breaker_pause``, doubling to ``breaker_pause_max``:
    what waits meanwhile uses up no tries. ``give_up_after`` of nothing but failure disables it.
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
        """Return how long to wait after *tries* failed tries; None: that was the last."""
        if tries >= len(self.pauses):
            return None
        return self.pauses[tries] * (1 + self.jitter * (2 * chance() - 1))

    def breaker(self, fails: int) -> timedelta:
        """Return how long to leave an endpoint alone after *fails* failures in a row."""
        if fails < self.breaker_after:
            return timedelta(0)
        doubled = min(fails - self.breaker_after, 30)
        return min(self.breaker_pause * (1 << doubled), self.breaker_pause_max)


class Verdict(Struct, frozen=True, kw_only=True):
    """What one attempt makes of its delivery, and of the endpoint if it asks for anything."""

    status: DeliveryStatus
    next_at: datetime | None = None
    hold_until: datetime | None = None
    disable: PauseCause | None = None


def judge(
    schedule: Schedule, tries: int, outcome: ReceiverResponse | SendFailed, now: datetime
) -> Verdict:
    """Return what becomes of a delivery whose *tries*-th try ended with *outcome*."""
    status = outcome.status if isinstance(outcome, ReceiverResponse) else 0
    if 200 <= status < 300:
        return Verdict(status=DeliveryStatus.SUCCESS)
    if status == GONE:
        # Kept open: should the endpoint be resumed, nothing was skipped.
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
    """Return how long a Retry-After asks to wait (RFC 9110, 10.2.3): seconds or a date."""
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
    """How an endpoint has been doing: failures in a row, since when, and how long to hold back.

    ``failed_at`` is when the newest failure that counts was known.
    """

    fails: int = 0
    first_fail: datetime | None = None
    failed_at: datetime | None = None
    open_until: datetime | None = None

    def after(
        self, verdict: Verdict, schedule: Schedule, began: datetime, now: datetime
    ) -> "Health":
        """Return the health after one more attempt, which *began* then and is known *now*.

        Attempts that were under way together when the receiver went down are one failure: what
        began before the last one was known says nothing new. So only a probe, which goes alone,
        makes the pause longer.
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
        """Return whether there has been nothing but failure for too long."""
        return self.first_fail is not None and now - self.first_fail >= schedule.give_up_after


def health_of(endpoint: Endpoint) -> Health:
    """Return the health that an endpoint's row has."""
    return Health(**{name: getattr(endpoint, name) for name in Health.__struct_fields__})


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)
