"""Commands on one stream take turns, whoever gives up."""

import asyncio

import pytest

from eventstore.engine.turns import OneAtATime
from tests.domain.spec import ENG, TASK


@pytest.fixture
def turns() -> OneAtATime:
    return OneAtATime()


async def _begun(turns: OneAtATime, count: int) -> list[asyncio.Task[None]]:
    """Return *count* that wait for the turn of another, in order."""
    assert turns.begin(TASK)
    waiting = [asyncio.create_task(turns.wait(TASK)) for _ in range(count)]
    await asyncio.sleep(0)
    return waiting


async def test_only_one_has_its_turn_and_the_others_follow_in_their_order(
    turns: OneAtATime,
) -> None:
    first, second = await _begun(turns, 2)
    assert not turns.begin(TASK)
    assert turns.begin(ENG)

    turns.end(TASK)
    await first
    await asyncio.sleep(0)
    assert not second.done()

    turns.end(TASK)
    await second
    turns.end(TASK)
    assert turns.begin(TASK)


async def test_who_gives_up_waiting_is_passed_over(turns: OneAtATime) -> None:
    first, second = await _begun(turns, 2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    turns.end(TASK)

    await second


async def test_who_is_cancelled_with_the_turn_already_theirs_passes_it_on(
    turns: OneAtATime,
) -> None:
    first, second = await _begun(turns, 2)

    turns.end(TASK)
    first.cancel()

    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    turns.end(TASK)
    assert turns.begin(TASK)
