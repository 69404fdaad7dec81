"""What happens often is counted by key and minute, and nothing is lost."""

from datetime import timedelta

import pytest

from commands.identity import tally
from commands.identity.tally import RECORD_EVERY, Tally
from domain.base import UserId
from tests.domain.spec import ANA, BEN, NOW, SECOND


def test_what_happens_within_a_minute_is_recorded_together() -> None:
    counted = Tally[UserId]()

    due = [counted.add(ANA, NOW + n * SECOND) for n in range(61)]

    assert due == [1, *[0] * 59, 60]


def test_the_end_gives_what_is_left() -> None:
    counted = Tally[UserId]()
    for _ in range(4):
        counted.add(ANA, NOW)

    assert counted.end(ANA) == 3
    assert counted.end(ANA) == 0
    assert counted.add(ANA, NOW) == 1


def test_keys_are_counted_apart() -> None:
    counted = Tally[UserId]()

    assert [counted.add(user, NOW) for user in (ANA, BEN, ANA, BEN)] == [1, 1, 0, 0]


def test_a_clock_that_was_set_back_records_again_in_time() -> None:
    counted = Tally[UserId]()
    counted.add(ANA, NOW + timedelta(seconds=30))
    counted.add(ANA, NOW)

    assert counted.add(ANA, NOW + timedelta(seconds=30) + RECORD_EVERY) == 2


def test_the_number_of_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "COUNTED_MAX", 1)
    counted = Tally[UserId]()
    counted.add(ANA, NOW)
    counted.add(BEN, NOW)

    assert counted.add(ANA, NOW) == 1
