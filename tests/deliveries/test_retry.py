"""When a delivery is tried again follows from data, and from what the receiver asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.client import ReceiverResponse
from deliveries.dialing import FailureKind, SendFailed
from deliveries.retry import HOUR, MINUTE, SECOND, Health, Schedule, judge, retry_after
from domain.hooks.webhook.events import PauseCause
from eventstore.operations.records import DeliveryStatus

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PLAIN = Schedule(jitter=0.0)
NOTHING = SendFailed("no connection could be established", FailureKind.CONNECT)


def answer(status: int, **headers: str) -> ReceiverResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ReceiverResponse(status, named, b"", "127.0.0.1", 1)


def test_the_pauses_are_as_documented() -> None:
    pauses = [PLAIN.pause(tries) for tries in range(11)]

    assert pauses == [
        timedelta(0),
        5 * SECOND,
        5 * MINUTE,
        30 * MINUTE,
        *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)),
        None,
    ]


def test_jitter_varies_a_pause_by_a_fifth_in_both_directions() -> None:
    schedule = Schedule()

    assert schedule.pause(4, lambda: 0.0) == 1.6 * HOUR
    assert schedule.pause(4, lambda: 1.0) == 2.4 * HOUR


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert judge(PLAIN, 1, answer(status), NOW).status is DeliveryStatus.SUCCESS


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 404, 500, 599])
def test_every_other_response_is_retried(status: int) -> None:
    verdict = judge(PLAIN, 1, answer(status), NOW)

    assert (verdict.status, verdict.next_at) == (DeliveryStatus.RETRYING, NOW + 5 * SECOND)


def test_the_tenth_failure_is_the_last() -> None:
    assert judge(PLAIN, 9, NOTHING, NOW).status is DeliveryStatus.RETRYING
    assert judge(PLAIN, 10, NOTHING, NOW).status is DeliveryStatus.FAILED


def test_410_gone_pauses_the_webhook_and_keeps_the_delivery() -> None:
    verdict = judge(PLAIN, 1, answer(410), NOW)

    assert (verdict.status, verdict.disable) == (DeliveryStatus.RETRYING, PauseCause.GONE)


@pytest.mark.parametrize(
    ("status", "asked", "until"),
    [
        (429, "120", NOW + 2 * MINUTE),
        (503, "Sun, 01 Mar 2026 10:00:00 GMT", NOW + 30 * MINUTE),
        (429, "999999", NOW + 24 * HOUR),
        (429, "0", NOW),
        (429, "soon", None),
        (500, "120", None),
    ],
)
def test_the_receiver_may_say_when_to_try_again(status: int, asked: str, until: Any) -> None:
    verdict = judge(PLAIN, 1, answer(status, retry_after=asked), NOW)

    assert verdict.hold_until == until
    assert verdict.next_at == max(NOW + 5 * SECOND, until or NOW)


@pytest.mark.parametrize("value", ["", "-1", "1.5", "٣", "9" * 40, "Sun, 99 Mar 2026 10:00:00 GMT"])
def test_a_malformed_retry_after_is_ignored(value: str) -> None:
    assert retry_after(value, NOW) is None


ZONES = st.from_regex(r"[+-][0-9]{1,9}", fullmatch=True) | st.sampled_from(["GMT", "EST", ""])
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Sun", "Xyz"]),
    st.integers(-1, 99),
    st.sampled_from(["Jan", "Feb", "Dec", "Foo"]),
    st.sampled_from([0, 1, 99, 1970, 2026, 9999, 10**9]),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.integers(-1, 99),
    ZONES,
)


@given(st.text() | DATES | st.integers().map(str))
def test_whatever_a_receiver_asks_for_there_is_a_verdict_that_can_be_stored(value: str) -> None:
    verdict = judge(PLAIN, 1, answer(503, retry_after=value), NOW)

    assert verdict.status is DeliveryStatus.RETRYING
    assert verdict.next_at is not None
    assert NOW <= verdict.next_at <= NOW + 24 * HOUR


def test_failures_in_a_row_open_the_breaker_for_ever_longer() -> None:
    schedule = Schedule(breaker_after=3, breaker_pause=SECOND, breaker_pause_max=5 * SECOND)
    failed = judge(schedule, 1, NOTHING, NOW)
    health, pauses = Health(), list[timedelta]()
    for _ in range(7):
        health = health.after(failed, schedule, NOW, NOW)
        pauses.append((health.open_until or NOW) - NOW)

    assert pauses == [timedelta(0)] * 2 + [SECOND, 2 * SECOND, 4 * SECOND, 5 * SECOND, 5 * SECOND]


def test_concurrent_failures_count_as_one() -> None:
    schedule = Schedule(breaker_after=10, breaker_pause=SECOND)
    failed = judge(schedule, 1, NOTHING, NOW)
    health = Health(fails=9, first_fail=NOW, failed_at=NOW)
    for after_ms in range(16):  # sixteen began together, and one by one they are known
        known_at = NOW + SECOND + timedelta(milliseconds=after_ms)
        health = health.after(failed, schedule, NOW + SECOND / 2, known_at)

    assert health.fails == 10
    assert health.open_until == NOW + 2 * SECOND

    probed = health.after(failed, schedule, NOW + 3 * SECOND, NOW + 3 * SECOND)
    assert probed.open_until == NOW + 5 * SECOND


def test_a_requested_pause_is_granted_even_if_the_failure_does_not_count() -> None:
    asked = judge(PLAIN, 1, answer(429, retry_after="60"), NOW)
    health = Health(fails=1, first_fail=NOW, failed_at=NOW)

    health = health.after(asked, PLAIN, NOW - SECOND, NOW)

    assert (health.fails, health.open_until) == (1, NOW + MINUTE)


def test_one_success_makes_an_endpoint_healthy() -> None:
    sick = Health(fails=9, first_fail=NOW, open_until=NOW)

    assert sick.after(judge(PLAIN, 1, answer(200), NOW), PLAIN, NOW, NOW) == Health()


def test_an_endpoint_is_hopeless_after_five_days_of_failures_only() -> None:
    health = Health().after(judge(PLAIN, 1, NOTHING, NOW), PLAIN, NOW, NOW)

    assert not health.is_hopeless(PLAIN, NOW + timedelta(days=5) - SECOND)
    assert health.is_hopeless(PLAIN, NOW + timedelta(days=5))
