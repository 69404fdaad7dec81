"""A task that loses a cancellation is cancelled again."""

import asyncio
import contextlib

from runtime.ending import end


async def test_a_task_that_loses_its_first_cancellation_still_ends() -> None:
    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(task)

    assert task.cancelled()


async def test_an_exception_of_a_task_that_is_being_cancelled_is_ignored() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    await end(task)
    await end(None)
