"""Turns of the event loop: one piece of long work at a time."""

import asyncio

from eventstore.engine.turns import Turns


async def test_a_piece_that_needs_another_one_takes_it_within_its_own_turn() -> None:
    turns = Turns()

    async with asyncio.timeout(5), turns:
        async with turns:
            pass
        other = asyncio.create_task(turns.__aenter__())
        await asyncio.sleep(0)
        assert not other.done()  # the inner one has not let go of the outer turn
    await other
    assert other.done()


async def test_a_piece_that_fails_lets_the_next_one_begin() -> None:
    turns, ended = Turns(), list[str]()

    async def fail() -> None:
        async with turns, turns:
            raise ValueError

    async def work() -> None:
        async with turns:
            ended.append("work")

    async with asyncio.timeout(5):
        failed, _ = await asyncio.gather(fail(), work(), return_exceptions=True)

    assert isinstance(failed, ValueError)
    assert ended == ["work"]
