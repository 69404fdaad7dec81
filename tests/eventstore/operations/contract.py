"""What every adapter of operational state does; a test class per adapter inherits it."""

import pytest
from msgspec.structs import replace

from eventstore.operations.records import (
    Backlog,
    DeliveryStatus,
    Endpoint,
    Notice,
    NoticeKind,
)
from eventstore.operations.store import Changes, LeaseLost, OperationalStore
from tests.eventstore.operations.examples import (
    LEASE_S,
    NOW,
    SECOND,
    attempt,
    delivery,
    ended,
    endpoint,
)
from tests.eventstore.operations.leases_contract import LeasesContract


class OperationsContract(LeasesContract):
    """What is written with a lease, and lists."""

    # What a worker writes

    async def test_cursor_deliveries_and_attempts_are_written_together(self) -> None:
        notice = Notice(
            id="n", endpoint="w", org="acme", kind=NoticeKind.SENT_AGAIN, at=NOW, first=1, last=2,
            detail="",
        )  # fmt: skip
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            changes = Changes(
                fields={"fan": 2, "fan_event": "e2", "first_fail": NOW, "replay_prev": None},
                deliveries=[ended(1), delivery(2)],
                attempts=[attempt(1)],
                notices=[notice],
            )
            await store.write(w, changes)

            known = await _known(store)
            assert (known.fan, known.fan_event, known.first_fail) == (2, "e2", NOW)
            assert await store.deliveries("w", limit=9) == [delivery(2), ended(1)]
            assert await store.attempts("w:1", limit=9) == [attempt(1)]
            assert await store.notices("w", 9) == [notice]
            assert await store.notices(None, 9) == [notice]
            assert await store.notices("other", 9) == []

    async def test_a_second_write_of_the_same_changes_nothing(self) -> None:
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            for _ in range(2):
                await store.write(w, Changes(deliveries=[ended(1)], attempts=[attempt(1)]))

            assert await store.deliveries("w", limit=9) == [ended(1)]
            assert await store.attempts("w:1", limit=9) == [attempt(1)]

    async def test_a_worker_that_has_lost_its_lease_writes_nothing(self) -> None:
        everything = Changes(fields={"fan": 3}, deliveries=[delivery(1)], attempts=[attempt(1)])
        async with self.opened() as store:
            (zombie,) = await store.claim("zombie", 0.0, [endpoint()])
            (heir,) = await store.claim("heir", LEASE_S, [endpoint()])
            await store.write(heir, Changes(deliveries=[ended(5)]))
            for stale in (zombie, endpoint("never seen", fence=1)):
                with pytest.raises(LeaseLost):
                    await store.write(stale, everything)
                with pytest.raises(LeaseLost):
                    await store.forget(stale, 0)

            assert (await _known(store)).fan == 0
            assert await store.deliveries("w", limit=9) == [ended(5)]
            assert await store.attempts("w:1", limit=9) == []

    async def test_a_worker_that_knows_of_writes_that_are_gone_writes_nothing(self) -> None:
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            await store.write(w, Changes(fields={"fan": 1}))
            before_it_was_set_back = replace(w, writes=9)
            with pytest.raises(LeaseLost):
                await store.write(before_it_was_set_back, Changes(fields={"fan": 10}))

            assert await store.endpoint("w") == replace(w, fan=1)

    async def test_deliveries_that_the_log_no_longer_has_are_forgotten(self) -> None:
        async with self.opened() as store:
            w, x = await claimed(store, endpoint(), endpoint("x"))
            past = Changes(
                deliveries=[ended(n) for n in (1, 2, 3)], attempts=[attempt(n) for n in (1, 2, 3)]
            )
            await store.write(w, past)
            await store.write(x, Changes(deliveries=[ended(3, "x")]))
            removed = [await store.forget(w, 1, limit=1) for _ in range(3)]
            await store.write(w, Changes(deliveries=[delivery(2)]))

            assert removed == [2, 2, 0]  # a delivery and an attempt each
            assert await store.deliveries("w", limit=9) == [delivery(2), ended(1)]
            assert await store.attempts("w:2", limit=9) == []
            assert await store.attempts("w:1", limit=9) == [attempt(1)]
            assert await store.deliveries("x", limit=9) == [ended(3, "x")]

    # Deliveries

    async def test_deliveries_are_listed_a_page_at_a_time_newest_first(self) -> None:
        async with self.opened() as store:
            w, x = await claimed(store, endpoint(), endpoint("x"))
            await store.write(w, Changes(deliveries=[delivery(n) for n in range(1, 8)]))
            await store.write(w, Changes(deliveries=[ended(4), ended(6)]))
            await store.write(x, Changes(deliveries=[delivery(5, "x")]))

            async def seqs(
                first: int = 1,
                before: int | None = None,
                status: DeliveryStatus | None = None,
            ) -> list[int]:
                found = await store.deliveries(
                    "w", first=first, before=before, limit=3, status=status
                )
                return [each.seq for each in found]

            assert await seqs() == [7, 6, 5]
            assert await seqs(before=5) == [4, 3, 2]
            assert await seqs(first=2, before=4) == [3, 2]
            assert await seqs(status=DeliveryStatus.SUCCESS) == [6, 4]
            assert await seqs(status=DeliveryStatus.SUCCESS, before=6) == [4]

    async def test_open_deliveries_and_pings_are_listed_a_page_at_a_time(self) -> None:
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            await store.write(w, Changes(deliveries=[ended(1), delivery(2), delivery(3)]))
            ping = delivery(0, id="w:ping", created_at=NOW - SECOND)
            await store.add(ping)

            first = await store.open_deliveries("w", "", 2)
            rest = await store.open_deliveries("w", first[-1].id, 2)

            assert first + rest == [delivery(2), delivery(3), ping]
            assert await store.deliveries("w", limit=9) == [delivery(3), delivery(2), ended(1)]
            assert await store.backlog() == Backlog(3, NOW - SECOND)

    async def test_nothing_open_is_no_backlog(self) -> None:
        async with self.opened() as store:
            assert await store.backlog() == Backlog(0, None)

    async def test_a_delivery_is_found_under_its_own_webhook_only(self) -> None:
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            await store.write(w, Changes(deliveries=[delivery(1)]))

            assert await store.delivery("w", "w:1") == delivery(1)
            assert await store.delivery("x", "w:1") is None
            assert await store.delivery("w", "w:2") is None

    async def test_attempts_are_listed_a_page_at_a_time_newest_first(self) -> None:
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            tries = [attempt(1, n) for n in range(1, 6)]
            tries[2:2] = [attempt(1, 2, id="w:1:2 again")]  # after a restart with older rows
            await store.write(w, Changes(attempts=tries))
            newest = tries[::-1]

            first = await store.attempts("w:1", limit=4)
            last = first[-1]
            assert first == newest[:4]
            assert await store.attempts("w:1", before=(last.n, last.id), limit=9) == newest[4:]
            assert await store.attempts("w:2", limit=9) == []

    async def test_whatever_text_a_receiver_answers_with_is_kept(self) -> None:
        said = attempt(1, excerpt="a\0b", response_headers={"x": "\0"})
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            await store.write(w, Changes(attempts=[said]))

            (found,) = await store.attempts("w:1", limit=9)
            assert (found.excerpt, found.response_headers) == ("a\ufffdb", {"x": "\0"})

    # What people ask for

    async def test_an_ended_delivery_is_put_back_once_and_its_worker_is_nudged(self) -> None:
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            await store.write(w, Changes(deliveries=[ended(1), delivery(2)]))

            assert not await store.put_back("w", "w:2", NOW)
            assert not await store.put_back("x", "w:1", NOW)
            assert await store.nudged("one") == []
            assert await store.put_back("w", "w:1", NOW + SECOND)
            assert not await store.put_back("w", "w:1", NOW + SECOND)

            assert await store.delivery("w", "w:1") == delivery(1, next_at=NOW + SECOND, attempts=1)
            assert await store.nudged("one") == ["w"]
            assert await store.nudged("two") == []
            await store.write(w, Changes(fields={"nudged": False}))
            assert await store.nudged("one") == []

    async def test_a_ping_can_be_added_before_any_worker_has_seen_the_webhook(self) -> None:
        async with self.opened() as store:
            await store.add(delivery(0, id="w:ping"))
            await store.claim("one", LEASE_S, [endpoint()])

            assert [each.id for each in await store.open_deliveries("w", "", 9)] == ["w:ping"]

    # Pruning

    async def test_old_ended_deliveries_are_pruned_in_steps_and_open_ones_kept(self) -> None:
        old = [ended(n) for n in (1, 2, 3)]
        async with self.opened() as store:
            (w,) = await store.claim("one", LEASE_S, [endpoint()])
            fresh = ended(5, at=NOW + SECOND)
            kept = Changes(
                deliveries=[*old, delivery(4), fresh],
                attempts=[*(attempt(n) for n in (1, 2, 3)), attempt(5, at=NOW + SECOND)],
            )
            await store.write(w, kept)

            removed = [await store.prune(NOW + SECOND, 2) for _ in range(3)]

            assert removed == [4, 2, 0]
            assert await store.deliveries("w", limit=9) == [fresh, delivery(4)]
            assert len(await store.attempts("w:5", limit=9)) == 1


async def claimed(store: OperationalStore, *wanted: Endpoint) -> list[Endpoint]:
    """Return *wanted* as claimed, in the same order."""
    won = {each.id: each for each in await store.claim("one", LEASE_S, wanted)}
    return [won[each.id] for each in wanted]


async def _known(store: OperationalStore) -> Endpoint:
    known = await store.endpoint("w")
    assert known is not None
    return known
