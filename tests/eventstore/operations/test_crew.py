"""Processes that share work divide it fairly, and take over from those that go."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from eventstore.operations.crew import Crew, crew_joined, slot_of
from eventstore.operations.memory import MemoryOperations
from eventstore.operations.open import open_operations
from eventstore.operations.store import OperationsUnavailable

PATIENCE_S = 10.0


async def until(fact: Callable[[], bool]) -> None:
    """Return as soon as *fact* holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not fact():  # noqa: ASYNC110 - another task's view of the crew
            await asyncio.sleep(0.01)


def one_owner_each(crews: list[Crew], slots: int) -> bool:
    """Return whether every slot has one owner, and no member many more than another."""
    owners = [[crew.member for crew in crews if crew.owns(slot)] for slot in range(slots)]
    shares = Counter(owner for each in owners for owner in each)
    fair = max(shares.values(), default=0) - min(shares.values(), default=0) <= 1
    return fair and len(shares) == min(len(crews), slots) and all(len(o) == 1 for o in owners)


@given(st.sets(st.text(min_size=1, max_size=9), min_size=1, max_size=9), st.integers(1, 99))
def test_each_slot_has_one_owner_and_the_shares_are_fair(members: set[str], slots: int) -> None:
    crews = [Crew(MemoryOperations(), "g", member) for member in sorted(members)]
    for crew in crews:
        crew.members = sorted(members)

    assert one_owner_each(crews, slots)


async def test_who_has_sent_no_heartbeat_owns_nothing() -> None:
    crew = Crew(MemoryOperations(), "g", "one")

    assert not any(crew.owns(slot) for slot in range(9))
    await crew.heartbeat()
    assert all(crew.owns(slot) for slot in range(9))
    await crew.leave()
    assert not any(crew.owns(slot) for slot in range(9))


async def test_what_a_member_owns_follows_those_who_come_go_and_die(tmp_path: Path) -> None:
    store = open_operations(f"sqlite:///{tmp_path / 'events.db'}", 4.0)
    await store.open()
    async with crew_joined(store, "g") as one, crew_joined(store, "g") as two:
        async with crew_joined(store, "g") as three:
            await until(lambda: one_owner_each([one, two, three], 8))
        await until(lambda: one_owner_each([one, two], 8))
        killed = Crew(store, "g", "0 the first of all")
        await killed.heartbeat()  # and never again
        await until(lambda: len(one.members) == len(two.members) == 3)
        assert not one_owner_each([one, two], 8)
        await until(lambda: one_owner_each([one, two], 8))
    await store.close()


async def test_an_outage_leaves_the_members_as_they_were() -> None:
    class Away(MemoryOperations):
        away = False

        async def heartbeat(self, crew: str, member: str, lease_s: float) -> list[str]:
            if self.away:
                raise OperationsUnavailable("gone")
            return await super().heartbeat(crew, member, lease_s)

    store = Away()
    async with crew_joined(store, "g") as crew:
        store.away = True
        await asyncio.sleep(0)
        assert crew.owns(0)
    assert not crew.owns(0)


def test_things_with_names_are_spread_over_the_slots() -> None:
    spread = Counter(slot_of(f"name {number}") % 4 for number in range(4_000))

    assert min(spread.values()) > 800
