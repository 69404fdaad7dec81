"""A log is closed in time, although its server no longer answers."""

import asyncio
from uuid import UUID

import pytest

from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.postgres import PostgresStore
from tests.eventstore.operations.silent_proxy import silent_proxy
from tests.eventstore.rows import command
from tests.spec import data_keys

pytestmark = [pytest.mark.servers, pytest.mark.needs("postgresql")]


async def test_reads_and_commits_that_a_server_never_answers_do_not_hold_up_the_end(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.log.CLOSE_S", 0.2)
    async with silent_proxy(postgres_url) as proxy:
        store = PostgresStore(proxy.url, lock_timeout_s=2.0)
        await asyncio.to_thread(store.create)
        log = EventLog(store, data_keys(), deadline_s=2.0)
        await log.open()
        proxy.silent = True
        for hanging in (log.last_position(), log.append(command(UUID(int=1)))):
            with pytest.raises(LogUnavailable):
                await hanging

        async with asyncio.timeout(20):
            await log.close()
