"""Failed logins are aggregated by account and minute, and none is lost."""

from datetime import timedelta

import pytest

from commands.identity import failed_logins
from commands.identity.failed_logins import RECORD_EVERY, FailedLogins
from tests.domain.spec import ANA, BEN, NOW, SECOND


def test_failures_of_a_minute_are_recorded_together() -> None:
    counted = FailedLogins()

    due = [counted.add(ANA, NOW + n * SECOND) for n in range(61)]

    assert due == [1, *[0] * 59, 60]


def test_a_good_login_records_what_is_left() -> None:
    counted = FailedLogins()
    for _ in range(4):
        counted.add(ANA, NOW)

    assert counted.end(ANA) == 3
    assert counted.end(ANA) == 0
    assert counted.add(ANA, NOW) == 1


def test_accounts_are_counted_apart() -> None:
    counted = FailedLogins()

    assert [counted.add(user, NOW) for user in (ANA, BEN, ANA, BEN)] == [1, 1, 0, 0]


def test_a_clock_that_was_set_back_records_again_in_time() -> None:
    counted = FailedLogins()
    counted.add(ANA, NOW + timedelta(seconds=30))
    counted.add(ANA, NOW)

    assert counted.add(ANA, NOW + timedelta(seconds=30) + RECORD_EVERY) == 2


def test_the_number_of_accounts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_logins, "ACCOUNTS_MAX", 1)
    counted = FailedLogins()
    counted.add(ANA, NOW)
    counted.add(BEN, NOW)

    assert counted.add(ANA, NOW) == 1
