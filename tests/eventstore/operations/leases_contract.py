"""What every adapter of operational state does with leases."""

import asyncio

from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.operations.records import Job
from eventstore.operations.store import CLAIM_MAX
from tests.eventstore.operations.errands_contract import CURSOR, ErrandsContract
from tests.eventstore.operations.examples import LEASE_S, NOW, endpoint, mail


def _transactions() -> int:
    return counters_of(OPERATIONS_DRIVER).commands


class LeasesContract(ErrandsContract):
    """Leases of endpoints, and of whatever else is worked on."""

    counts_transactions = True
    """Whether the adapter has transactions, and counts them."""

    async def test_an_endpoint_is_created_when_it_is_first_claimed(self) -> None:
        async with self.opened() as store:
            assert await store.endpoint("w") is None
            (won,) = await store.claim("one", LEASE_S, [endpoint(fan=7, fan_event="e7")])

            assert (won.owner, won.fence, won.fan) == ("one", 1, 7)
            assert await store.endpoint("w") == won
            assert await store.held(LEASE_S) == {"w"}

    async def test_endpoints_are_listed_by_id_in_pages(self) -> None:
        async with self.opened() as store:
            await store.claim("one", LEASE_S, [endpoint(name) for name in ("c", "a", "b")])

            assert [each.id for each in await store.endpoints("", 2)] == ["a", "b"]
            assert [each.id for each in await store.endpoints("b", 2)] == ["c"]
            assert await store.endpoints("c", 2) == []

    async def test_only_one_owner_holds_an_endpoint(self) -> None:
        wanted = [endpoint(name) for name in ("a", "b", "c")]
        async with self.opened() as store:
            first = await store.claim("one", LEASE_S, wanted[:2])
            second = await store.claim("two", LEASE_S, wanted)

            assert sorted(each.id for each in first) == ["a", "b"]
            assert [each.id for each in second] == ["c"]
            assert await store.renew("one", LEASE_S) == {"a", "b"}

    async def test_many_leases_are_renewed_in_several_transactions(self) -> None:
        names = [f"w{n:03}" for n in range(2 * CLAIM_MAX + 1)]
        async with self.opened() as store:
            for start in range(0, len(names), CLAIM_MAX):
                some = [endpoint(name) for name in names[start : start + CLAIM_MAX]]
                await store.claim("one", 0.0, some)
            await store.claim("two", LEASE_S, [endpoint(names[0])])
            before = _transactions()

            assert await store.renew("one", LEASE_S) == set(names[1:])
            # The thread of SQLite counts a transaction only before it begins the next one.
            assert await store.renew("two", LEASE_S) == {names[0]}

            assert await store.held(LEASE_S) == set(names)
            assert _transactions() >= before + 3 * self.counts_transactions

    async def test_whoever_is_at_work_is_counted(self) -> None:
        async with self.opened() as store:
            assert await store.at_work(LEASE_S) == 0
            await store.claim("one", LEASE_S, [endpoint(), endpoint("x")])
            await store.claim("dead", 0.0, [endpoint("y")])
            await store.keep_job(Job(id="prune", due_at=NOW))
            await store.keep_mails(CURSOR, [mail("e1"), mail("e2")])
            job = await store.take_job("one", LEASE_S, NOW)
            taken = await store.take_mail("one", LEASE_S, NOW)
            assert job is not None
            assert taken is not None
            assert await store.at_work(LEASE_S) == 4

            await store.release("one", "w")
            await store.end_job(job, NOW)
            await store.end_mail(taken)

            assert await store.at_work(LEASE_S) == 1

    async def test_if_several_owners_claim_at_once_each_endpoint_goes_to_one(self) -> None:
        wanted = [endpoint(f"w{n:02}") for n in range(40)]
        async with self.opened() as store:
            claims = (
                store.claim(f"owner{n}", LEASE_S, wanted[::step])
                for n, step in enumerate((1, -1, 1, -1))
            )
            won = [each.id for those in await asyncio.gather(*claims) for each in those]
            won += [each.id for each in await store.claim("late", LEASE_S, wanted)]

            assert sorted(won) == [each.id for each in wanted]

    async def test_the_next_holder_of_a_free_lease_gets_a_higher_fence(self) -> None:
        async with self.opened() as store:
            await store.claim("one", 0.0, [endpoint()])
            (second,) = await store.claim("two", LEASE_S, [endpoint()])
            await store.release("one", "w")  # not its own any more
            assert await store.held(LEASE_S) == {"w"}
            await store.release("two", "w")
            (third,) = await store.claim("three", LEASE_S, [endpoint()])

            assert (second.fence, third.fence) == (2, 3)

    async def test_the_members_of_a_group_are_those_with_a_heartbeat_in_time(self) -> None:
        async with self.opened() as store:
            await store.heartbeat("g", "dead", 0.0)
            assert await store.heartbeat("g", "one", LEASE_S) == ["one"]
            assert await store.heartbeat("g", "two", LEASE_S) == ["one", "two"]
            assert await store.heartbeat("other", "three", LEASE_S) == ["three"]
            assert await store.heartbeat("g", "one", LEASE_S) == ["one", "two"]

            await store.leave("g", "three")  # it is in another crew
            await store.leave("g", "two")
            assert await store.heartbeat("g", "one", LEASE_S) == ["one"]
            assert await store.heartbeat("other", "four", LEASE_S) == ["four", "three"]

    async def test_a_member_from_before_the_clock_was_set_back_is_forgotten(self) -> None:
        async with self.opened() as store:
            await store.heartbeat("g", "one", 3_600.0)

            assert await store.heartbeat("g", "two", LEASE_S) == ["two"]

    async def test_a_lease_given_before_the_clock_was_set_back_is_free(self) -> None:
        async with self.opened() as store:
            await store.claim("one", 3_600.0, [endpoint()])

            assert await store.held(LEASE_S) == set()
            assert len(await store.claim("two", LEASE_S, [endpoint()])) == 1
