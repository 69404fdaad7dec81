"""A subdomain that was given up is kept for its organization for 30 days, in races as well."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization, EditOrganization
from domain.base import OrgId
from domain.claim import SubdomainTaken
from eventstore.memory import MemoryStore
from eventstore.postgres import PostgresStore
from eventstore.sqlite import SqliteStore
from eventstore.store import Store
from tests.commands.acme import ACCOUNTS, TEAM
from tests.domain.spec import ACME, ANA, DAN, NOW
from tests.spec import context, opened, record

KEPT = timedelta(days=30)
RIVALS = 6

AnyStore = MemoryStore | SqliteStore | PostgresStore


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        "sqlite with 8 partitions",
        pytest.param("postgres", marks=pytest.mark.servers),
        pytest.param("postgres with 8 partitions", marks=pytest.mark.servers),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give an empty log of each kind."""
    kind, _, many = str(request.param).partition(" ")
    parts = 8 if many else 1
    made: AnyStore
    if kind == "memory":
        made = MemoryStore(parts=parts)
    elif kind == "sqlite":
        made = SqliteStore(str(tmp_path / "log.db"), parts=parts)
    else:
        made = PostgresStore(request.getfixturevalue("postgres_url"), parts=parts)
    made.create()
    with closing(made):
        yield made


def found(subdomain: str) -> CreateOrganization:
    """Return the creation of a new organization."""
    return CreateOrganization(organization_id=OrgId(uuid4()), name="New", subdomain=subdomain)


async def rush(handler: CommandHandler, subdomain: str, now: datetime) -> list[bool]:
    """Let several new organizations ask for a subdomain at once; return who got it."""
    asked = (
        handler.handle(found(subdomain), context(DAN, org_id=None, now=now)) for _ in range(RIVALS)
    )
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    for outcome in outcomes:
        assert not isinstance(outcome, BaseException) or isinstance(outcome, SubdomainTaken)
    return [not isinstance(outcome, BaseException) for outcome in outcomes]


async def test_a_subdomain_is_free_for_one_other_after_30_days(store: Store) -> None:
    async with opened(store) as log:
        await record(log, TEAM, *ACCOUNTS)
        handler = CommandHandler(log)
        renamed = EditOrganization(organization_id=ACME, subdomain="apex")
        await handler.handle(renamed, context(ANA))

        kept = await rush(handler, "acme", NOW + KEPT - timedelta(microseconds=1))
        free = await rush(handler, "acme", NOW + KEPT)

        assert sum(kept) == 0
        assert sum(free) == 1
        back = EditOrganization(organization_id=ACME, subdomain="acme")
        with pytest.raises(SubdomainTaken):
            await handler.handle(back, context(ANA, now=NOW + KEPT))


async def test_its_organization_gets_a_kept_subdomain_back_from_under_a_rush(store: Store) -> None:
    async with opened(store) as log:
        await record(log, TEAM, *ACCOUNTS)
        handler = CommandHandler(log)
        renamed = EditOrganization(organization_id=ACME, subdomain="apex")
        await handler.handle(renamed, context(ANA))

        back = EditOrganization(organization_id=ACME, subdomain="acme")
        late = NOW + KEPT - timedelta(days=1)
        others, own = await asyncio.gather(
            rush(handler, "acme", late), handler.handle(back, context(ANA, now=late))
        )

        assert sum(others) == 0
        assert own.position is not None
        assert sum(await rush(handler, "acme", NOW + 2 * KEPT)) == 0
        assert sum(await rush(handler, "apex", late + KEPT)) == 1
