"""What every adapter of operational state does with notices, jobs, leases and mails."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from eventstore.operations.records import (
    ImportState,
    Job,
    LogCursor,
    MailStatus,
    Notice,
    NoticeKind,
)
from eventstore.operations.store import OperationalStore
from tests.eventstore.operations.examples import (
    LEASE_S,
    NOW,
    SECOND,
    importing,
    mail,
)

CURSOR = LogCursor(id="part 0", position=1, event_id="e1")


class ErrandsContract(ABC):
    """Notices, jobs and mails; ``opened`` gives an empty store."""

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[OperationalStore]:
        """Open an empty store for as long as a block lasts."""

    # Notices

    async def test_a_notice_is_kept_once_until_it_is_dropped(self) -> None:
        parked = Notice(
            id="w:PARKED", endpoint="w", org="acme", kind=NoticeKind.PARKED, at=NOW, first=4,
            last=4, detail="unreadable",
        )  # fmt: skip
        async with self.opened() as store:
            await store.note(parked)
            await store.note(replace(parked, at=NOW + SECOND))
            assert await store.notices("w", 9) == [parked]
            await store.drop_notice(parked.id)
            assert await store.notices("w", 9) == []

    # Jobs

    async def test_a_due_job_is_taken_by_one_worker_and_becomes_due_again(self) -> None:
        async with self.opened() as store:
            await store.keep_job(Job(id="prune", due_at=NOW))
            await store.keep_job(Job(id="prune", due_at=NOW + 9 * SECOND))
            assert await store.take_job("one", LEASE_S, NOW - SECOND) is None
            job = await store.take_job("one", LEASE_S, NOW)
            assert job is not None
            assert await store.take_job("two", LEASE_S, NOW) is None
            await store.end_job(job, NOW + SECOND)
            assert await store.take_job("two", LEASE_S, NOW) is None
            again = await store.take_job("two", LEASE_S, NOW + SECOND)

            assert again is not None
            assert again.fence == 2

    async def test_a_job_whose_worker_died_is_taken_over(self) -> None:
        async with self.opened() as store:
            await store.keep_job(Job(id="once", due_at=NOW))
            dead = await store.take_job("dead", 0.0, NOW)
            heir = await store.take_job("heir", LEASE_S, NOW)
            assert dead is not None
            assert heir is not None
            await store.end_job(dead, NOW)
            assert await store.take_job("third", LEASE_S, NOW) is None
            await store.end_job(heir, None)
            await store.keep_job(Job(id="once", due_at=NOW))
            assert await store.take_job("third", LEASE_S, NOW) is not None

    async def test_jobs_of_a_beginning_are_taken_apart_from_those_without_a_colon(self) -> None:
        async with self.opened() as store:
            for name in ("errand:b", "prune", "other:c"):
                await store.keep_job(Job(id=name, due_at=NOW))

            plain = await store.take_job("one", LEASE_S, NOW)
            begun = await store.take_job("one", LEASE_S, NOW, "errand:")

            assert plain is not None
            assert begun is not None
            assert (plain.id, begun.id) == ("prune", "errand:b")
            assert await store.take_job("one", LEASE_S, NOW) is None
            assert await store.take_job("one", LEASE_S, NOW, "errand:") is None

    # Leases

    async def test_one_owner_has_a_lease_until_it_is_given_back(self) -> None:
        async with self.opened() as store:
            taken = await asyncio.gather(
                *(store.take_lease("export", name, LEASE_S) for name in ("one", "two", "three"))
            )
            [owner] = [
                name for name, has in zip(("one", "two", "three"), taken, strict=True) if has
            ]

            assert await store.take_lease("export", owner, LEASE_S)
            assert await store.take_lease("another export", "four", LEASE_S)
            await store.drop_lease("export", "four")
            assert not await store.take_lease("export", "four", LEASE_S)
            await store.drop_lease("export", owner)
            assert await store.take_lease("export", "four", LEASE_S)

    async def test_a_lease_that_has_run_out_goes_to_another_owner(self) -> None:
        async with self.opened() as store:
            assert await store.take_lease("export", "dead", 0.0)

            assert await store.take_lease("export", "heir", LEASE_S)
            assert not await store.take_lease("export", "dead", LEASE_S)

    async def test_a_lease_taken_before_the_clock_was_set_back_is_free(self) -> None:
        async with self.opened() as store:
            assert await store.take_lease("export", "one", 3_600.0)

            assert await store.take_lease("export", "two", LEASE_S)

    # Uses of API keys

    async def test_the_last_use_of_a_key_is_kept_whoever_notes_it_last(self) -> None:
        async with self.opened() as store:
            assert await store.key_uses([]) == await store.key_uses(["one"]) == {}
            await store.note_key_use("one", NOW)
            await store.note_key_use("one", NOW - SECOND)
            await store.note_key_use("two", NOW + SECOND)
            await store.note_key_use("two", NOW + 2 * SECOND)

            assert await store.key_uses(["one", "two", "three"]) == {
                "one": NOW,
                "two": NOW + 2 * SECOND,
            }

    # Imports

    async def test_an_import_is_told_of_to_its_organization_until_it_is_forgotten(self) -> None:
        old = importing("old")
        new = replace(old, id="new", started_at=NOW + SECOND)
        stopped = replace(
            old, state=ImportState.STOPPED, created=1, refused=1, refusals={"2": "x"}, code="late"
        )
        async with self.opened() as store:
            for progress in (old, new, stopped):
                await store.keep_import(progress)

            assert await store.import_of("acme", "old") == stopped
            assert await store.import_of("acme", "new") == new
            assert await store.import_of("other", "new") is None
            assert await store.imports_running(NOW) == [new]
            assert await store.imports_running(NOW + 2 * SECOND) == []
            await store.drop_imports(NOW + SECOND)
            assert await store.import_of("acme", "old") is None
            assert await store.import_of("acme", "new") == new

    async def test_an_import_is_left_by_whoever_has_its_lease(self) -> None:
        progress = importing("one")
        ended = replace(progress, state=ImportState.DONE)
        async with self.opened() as store:
            await store.keep_import(progress)
            assert await store.take_lease("import/one", "one", LEASE_S)

            assert not await store.leave_import(ended, "import/one", "two")
            assert await store.import_of("acme", "one") == progress
            assert await store.leave_import(ended, "import/one", "one")
            assert await store.import_of("acme", "one") == ended
            assert not await store.leave_import(progress, "import/one", "one")
            assert await store.take_lease("import/one", "two", LEASE_S)

    # Mails

    async def test_a_mail_is_kept_once_however_often_its_event_is_found(self) -> None:
        cursor, later = (LogCursor(id="part 0", position=n, event_id=f"e{n}") for n in (1, 2))
        async with self.opened() as store:
            assert await store.log_cursor("part 0") is None
            await store.keep_mails(cursor, [mail("e1"), mail("e0")])
            taken = await store.take_mail("one", LEASE_S, NOW)
            assert taken is not None
            sent = replace(taken, status=MailStatus.SENT, open=False, ended_at=NOW, tries=1)
            assert await store.end_mail(sent)
            await store.keep_mails(later, [mail("e0"), mail("e1"), mail("e2")])

            pending = dict.fromkeys(("e0", "e1", "e2"), MailStatus.PENDING)
            kept = {each.id: each.status for each in await store.mails(9)}
            assert kept == pending | {taken.id: MailStatus.SENT}
            assert await store.log_cursor("part 0") == later

    async def test_a_due_mail_is_taken_by_one_worker_and_put_off(self) -> None:
        async with self.opened() as store:
            await store.keep_mails(CURSOR, [mail("e1")])
            assert await store.take_mail("one", LEASE_S, NOW - SECOND) is None
            taken = await asyncio.gather(
                *(store.take_mail(name, LEASE_S, NOW) for name in ("one", "two", "three"))
            )
            [held] = [each for each in taken if each is not None]
            assert await store.end_mail(replace(held, tries=1, next_at=NOW + SECOND))
            assert await store.take_mail("two", LEASE_S, NOW) is None
            again = await store.take_mail("two", LEASE_S, NOW + SECOND)

            assert again is not None
            assert (again.tries, again.fence, again.owner) == (1, 2, "two")

    async def test_a_mail_whose_worker_died_is_taken_over(self) -> None:
        async with self.opened() as store:
            await store.keep_mails(CURSOR, [mail("e1")])
            dead = await store.take_mail("dead", 0.0, NOW)
            heir = await store.take_mail("heir", LEASE_S, NOW)
            assert dead is not None
            assert heir is not None

            assert not await store.end_mail(replace(dead, status=MailStatus.SENT, open=False))
            assert await store.end_mail(
                replace(heir, status=MailStatus.FAILED, open=False, ended_at=NOW)
            )
            [kept] = await store.mails(9)
            assert (kept.status, kept.owner, kept.until) == (MailStatus.FAILED, "", None)
            assert await store.prune(NOW + SECOND, 9) == 1
            assert await store.mails(9) == []
