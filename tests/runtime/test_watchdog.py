"""A follower that stands still while events wait is noticed, once."""

import logging

import pytest

from runtime.health.watchdog import STALLED_S, Watchdog


class Now:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [record.levelno for record in caplog.records]


def test_one_that_moves_is_not_stalled_however_far_behind_it_is() -> None:
    now = Now()
    watchdog = Watchdog("projector", now=now)

    for position in range(100):
        watchdog.observe(position, 1_000)
        now.s += STALLED_S - 1

    assert watchdog.behind == 901
    assert not watchdog.stalled


def test_one_with_nothing_to_do_is_not_stalled() -> None:
    now = Now()
    watchdog = Watchdog("projector", now=now)

    for _ in range(100):
        watchdog.observe(7, 7)
        now.s += STALLED_S

    assert watchdog.standing_s == 0
    assert not watchdog.stalled


def test_a_follower_that_stalls_while_events_wait_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = Now()
    watchdog = Watchdog("projector", now=now)
    watchdog.observe(5, 5)
    watchdog.observe(5, 9)
    caplog.clear()

    now.s += STALLED_S + 1
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            watchdog.observe(5, 9)

    assert watchdog.stalled
    assert (watchdog.behind, watchdog.standing_s) == (4, STALLED_S + 1)
    assert levels(caplog) == [logging.ERROR]


def test_a_follower_that_advances_again_is_logged_until_it_has_caught_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = Now()
    watchdog = Watchdog("projector", now=now)
    watchdog.observe(5, 9)
    now.s += STALLED_S + 1
    watchdog.observe(5, 9)
    caplog.clear()

    with caplog.at_level(logging.INFO):
        watchdog.observe(6, 9)
        watchdog.observe(9, 9)

    assert not watchdog.stalled
    assert [record.getMessage() for record in caplog.records] == [
        "projector moves again",
        "projector caught up",
    ]
