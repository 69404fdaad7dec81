"""What a process does regularly, it does at the same moments."""

import asyncio

import pytest

from eventstore.operations import ticks
from eventstore.operations.ticks import tick, until_tick

EVERY_S = 1.0


def now_is(since_a_tick_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move the ticks, so that the last one was that long ago."""
    now = asyncio.get_running_loop().time()
    monkeypatch.setattr(ticks, "_PHASE", now - since_a_tick_s)


@pytest.mark.parametrize(
    ("since_a_tick_s", "expected_s"), [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.85, 0.15)]
)
async def test_whoever_waits_is_woken_at_the_next_moment_that_all_share(
    since_a_tick_s: float, expected_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_is(since_a_tick_s, monkeypatch)

    assert until_tick(EVERY_S) == pytest.approx(expected_s, abs=0.05)


@pytest.mark.parametrize("early_s", [0.002, 0.04])
async def test_a_timer_that_ends_a_little_early_does_not_tick_twice(
    early_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_is(EVERY_S - early_s, monkeypatch)

    assert until_tick(EVERY_S) == pytest.approx(EVERY_S + early_s, abs=0.05)


async def test_shorter_waits_end_at_the_moments_of_longer_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_is(0.6, monkeypatch)

    assert until_tick(EVERY_S / 2) == pytest.approx(until_tick(EVERY_S), abs=0.05)


async def test_a_tick_waits_that_long(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def slept(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", slept)
    now_is(0.5, monkeypatch)
    await tick(EVERY_S)

    assert waits == pytest.approx([0.5], abs=0.05)
