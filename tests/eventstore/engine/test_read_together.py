"""Whoever asks at the same time is answered by one read, which begins after they have asked."""

import asyncio
from collections.abc import Mapping

import pytest

from eventstore.append import LogUnavailable
from eventstore.engine.calls import TOGETHER_MAX, ReadTogether

DEADLINE_S = 30.0


class Rows:
    """Numbers by their names; each read waits until it may end."""

    def __init__(self) -> None:
        self.now = {"a": 1, "b": 2}
        self.reads: list[list[str]] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.fails = False

    async def read(self, names: list[str]) -> Mapping[str, int]:
        self.reads.append(names)
        found = {name: self.now[name] for name in names if name in self.now}
        await self.may_end.wait()
        if self.fails:
            raise LogUnavailable("away")
        return found


@pytest.fixture
async def rows() -> Rows:
    return Rows()


@pytest.fixture
async def together(rows: Rows) -> ReadTogether[str, int]:
    return ReadTogether(rows.read, DEADLINE_S)


async def test_those_who_ask_at_the_same_time_share_a_read(
    rows: Rows, together: ReadTogether[str, int]
) -> None:
    answers = await asyncio.gather(
        together.ask(["a", "b"]), together.ask(["b"]), together.ask(["b", "nobody"])
    )

    assert list(answers) == [{"a": 1, "b": 2}, {"b": 2}, {"b": 2}]
    assert rows.reads == [["a", "b", "nobody"]]


async def test_who_asks_while_reads_are_under_way_sees_what_was_written_before(
    rows: Rows, together: ReadTogether[str, int]
) -> None:
    rows.may_end.clear()
    early: list[asyncio.Task[dict[str, int]]] = []
    for _ in range(3):  # two reads are under way, and one waits for a place
        early.append(asyncio.create_task(together.ask(["a"])))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    rows.now["a"] = 9
    late = [asyncio.create_task(together.ask(["a"])) for _ in range(5)]
    await asyncio.sleep(0)
    rows.may_end.set()

    assert [(await asked)["a"] for asked in late] == [9] * 5
    assert [(await asked)["a"] for asked in early] == [1, 1, 9]
    assert len(rows.reads) == 3


async def test_an_outage_is_told_to_all_who_asked_and_the_next_are_answered(
    rows: Rows, together: ReadTogether[str, int]
) -> None:
    rows.fails = True
    told = await asyncio.gather(together.ask(["a"]), together.ask(["b"]), return_exceptions=True)
    assert [type(each) for each in told] == [LogUnavailable, LogUnavailable]

    rows.fails = False
    assert await together.ask(["a"]) == {"a": 1}


async def test_who_gives_up_takes_nothing_from_the_others(
    rows: Rows, together: ReadTogether[str, int]
) -> None:
    rows.may_end.clear()
    gone, stays = (asyncio.create_task(together.ask(["a"])) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    rows.may_end.set()

    assert await stays == {"a": 1}
    assert gone.cancelled()


async def test_nobody_waits_longer_than_the_deadline(rows: Rows) -> None:
    rows.may_end.clear()
    impatient = ReadTogether(rows.read, 0.0)

    with pytest.raises(LogUnavailable, match="did not answer in 0 s"):
        await impatient.ask(["a"])
    rows.may_end.set()


async def test_a_read_is_about_so_many_keys_at_most(
    rows: Rows, together: ReadTogether[str, int]
) -> None:
    await asyncio.gather(
        *(together.ask([f"{asker}-{n}" for n in range(TOGETHER_MAX // 2)]) for asker in range(5))
    )

    assert [len(names) for names in rows.reads] == [TOGETHER_MAX, TOGETHER_MAX, TOGETHER_MAX // 2]
