"""A COMMIT to PostgreSQL whose answer is lost: was it carried out, and at which positions?"""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest

from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization
from commands.identity.user import RegisterUser
from domain.base import PLATFORM
from eventstore.append import Append
from eventstore.log import EventLog
from eventstore.postgres import PostgresStore
from tests.domain.spec import ACME, ANA
from tests.eventstore.cutting import cutting_proxy
from tests.eventstore.rows import command
from tests.spec import context, opened

pytestmark = pytest.mark.servers

A, B, OTHER = UUID(int=1), UUID(int=2), UUID(int=999)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url)) as store:
        store.create()
        yield store


class TestALostAnswerToCommit:
    async def test_a_commit_whose_answer_was_lost_is_a_success(
        self, postgres_url: str, store: PostgresStore
    ) -> None:
        register = RegisterUser(
            user_id=ANA, email="a@example.com", name="Ana",
            password_hash=b"hash",
        )  # fmt: skip
        async with (
            cutting_proxy(postgres_url) as proxy,
            opened(await connected(proxy.url)) as log,
        ):
            proxy.cuts = 1
            receipt = await CommandHandler(log).handle(register, context(ANA, org_id=None))

            assert proxy.cut == 1
            assert receipt.position == 1
            assert [r.tag for r in await log.tail(0, 10)] == ["user.registered"]

    async def test_a_lost_answer_to_a_command_on_two_partitions_gives_the_position_in_each(
        self, postgres_url: str
    ) -> None:
        register = RegisterUser(
            user_id=ANA, email="a@example.com", name="Ana", password_hash=b"hash",
            organization=CreateOrganization(organization_id=ACME, name="Acme", subdomain="acme"),
        )  # fmt: skip
        with closing(PostgresStore(postgres_url, parts=8)) as store:
            store.create()
            store.commit([command(OTHER, org_id=PLATFORM, events=5)])
        async with (
            cutting_proxy(postgres_url) as proxy,
            opened(await connected(proxy.url)) as log,
        ):
            proxy.cuts = 1
            receipt = await CommandHandler(log).handle(register, context(ANA, org_id=None))

            ends = {part: await log.last_position(part) for part in (0, log.part(ACME))}
            assert proxy.cut == 1
            assert receipt.positions == ends
            assert receipt.position == ends[0] != ends[log.part(ACME)]

    async def test_a_lost_answer_is_not_a_success_for_other_commands_of_the_batch(
        self, postgres_url: str, store: PostgresStore
    ) -> None:
        store.commit([command(A)])
        async with (
            cutting_proxy(postgres_url) as proxy,
            opened(await connected(proxy.url)) as log,
        ):
            proxy.cuts = 1
            done, late = command(B), command(A)
            outcomes = await outcomes_of(log, done, late)

            assert proxy.cut == 1
            assert outcomes == ["CommandAlreadyDone", "ConcurrencyConflict"]
            assert store.last_position() == 2

    async def test_two_lost_answers_are_an_outage_and_a_third_attempt_records_nothing(
        self, postgres_url: str, store: PostgresStore
    ) -> None:
        async with (
            cutting_proxy(postgres_url) as proxy,
            opened(await connected(proxy.url)) as log,
        ):
            proxy.cuts = 2
            asked = command(A)
            [outcome] = await outcomes_of(log, asked)
            [again] = await outcomes_of(log, asked)

            assert (outcome, again) == ("LogUnavailable", "ConcurrencyConflict")
            assert store.heads([A]) == {A: 1}


async def connected(url: str) -> PostgresStore:
    """Open a store beside the loop, which has to carry its connection."""
    return await asyncio.to_thread(PostgresStore, url)


async def outcomes_of(log: EventLog, *appends: Append) -> list[str]:
    """Append all at once; return the name of each error, or nothing."""
    settled = await asyncio.gather(*map(log.append, appends), return_exceptions=True)
    return [type(s).__name__ if isinstance(s, BaseException) else "" for s in settled]
