"""A projector that is killed in the middle of a MongoDB transaction is followed within seconds."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from devstack.mongo import mongo
from devstack.server import Server
from projections.engine.control import Control
from projections.engine.mongo.store import MongoReadStore
from projections.engine.store import Batch, OutOfTurn, ReadStoreUnavailable, Written
from tests.freezing import freeze
from tests.projections.engine.things import THINGS, page, thing

ROOT = Path(__file__).parents[3]
TAKEN_OVER_S = 20.0
"""Less than the minute after which the server itself would end a transaction."""

HOLDER = """
import asyncio, sys
from projections.engine.mongo.store import MongoReadStore

async def hold():
    store = MongoReadStore(sys.argv[1], sys.argv[2], timeout_s=10)
    await store.lease("killed", 3)
    session = await store._leases.session()
    await session.start_transaction()
    touched = {"$set": {"fence": 1}}
    await store.database["control"].update_one({"_id": "plan"}, touched, session=session)
    await store.database["things_v1_b1"].update_one(
        {"_id": "acme:0001"}, {"$set": {"status": "HELD"}}, session=session
    )
    print("held", flush=True)
    await asyncio.sleep(600)

asyncio.run(hold())
"""


@pytest.fixture
async def named(mongo_url: str) -> AsyncIterator[tuple[str, str]]:
    """Give the address of a server and the name of an empty database."""
    name = f"test_{uuid4().hex[:12]}"
    yield mongo_url, name
    async with AsyncMongoClient[dict[str, object]](mongo_url) as client:
        await client.drop_database(name)


async def test_a_transaction_that_a_killed_projector_left_open_is_ended(
    named: tuple[str, str],
) -> None:
    store = MongoReadStore(*named, timeout_s=10)
    await store.create(THINGS)
    control = await store.write(
        Batch(control=Control(), written=[Written(THINGS, [thing(1), thing(2)])])
    )
    command = [sys.executable, "-c", HOLDER, *named]
    holder = await asyncio.to_thread(_held, command)
    holder.kill()
    await asyncio.to_thread(holder.communicate)
    began = time.monotonic()

    while not (fences := await store.lease("next", 3)):
        await asyncio.sleep(0.05)
        assert time.monotonic() - began < TAKEN_OVER_S
    change = Written(THINGS, [thing(1, status="DONE")])
    await store.write(Batch(control=control, fence=fences[0], written=[change]))

    assert (await page(store, where={"status": "DONE"})).keys == [1]
    assert time.monotonic() - began < 2 * TAKEN_OVER_S
    await store.close()


def _held(command: list[str]) -> "subprocess.Popen[bytes]":
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


async def test_nothing_is_written_if_a_document_is_not_new_after_all(
    named: tuple[str, str],
) -> None:
    store = MongoReadStore(*named, timeout_s=10)
    await store.create(THINGS)
    control = await store.write(Batch(control=Control(), written=[Written(THINGS, [thing(1)])]))
    again, other = thing(1, status="DONE"), thing(2)

    told = Written(THINGS, [other, again], {again.id, other.id})
    with pytest.raises(OutOfTurn):
        await store.write(Batch(control=control, written=[told]))
    assert (await page(store)).keys == [1]
    both = Written(THINGS, [again, other], {other.id})
    await store.write(Batch(control=control, written=[both]))

    assert (await page(store)).keys == [1, 2]
    assert (await page(store, where={"status": "DONE"})).keys == [1]
    await store.close()


async def test_a_holder_whose_session_was_ended_continues_with_another(
    named: tuple[str, str],
) -> None:
    store = MongoReadStore(*named, timeout_s=10)
    await store.create(THINGS)
    fences = await store.lease("one", 30)
    control = await store.write(
        Batch(control=Control(), fence=fences[0], written=[Written(THINGS, [thing(1)])])
    )
    session = await store._leases.session()
    await store.database.command("killSessions", [{"id": session.session_id["id"]}])

    for _ in range(3):
        try:
            control = await store.write(
                Batch(control=control, fence=fences[0], written=[Written(THINGS, [thing(2)])])
            )
            break
        except (ReadStoreUnavailable, OutOfTurn):
            continue

    assert (await page(store)).keys == [1, 2]
    await store.close()


async def test_documents_are_readable_and_anything_else_is_refused(
    named: tuple[str, str],
) -> None:
    store = MongoReadStore(*named, timeout_s=10)
    await store.create(THINGS)
    await store.write(Batch(control=Control(), written=[Written(THINGS, [thing(1)])]))

    found = await store.database[THINGS.collection].find_one({"number": 1, "people": "ana"})
    info = await store.database[THINGS.collection].options()

    assert found is not None
    assert found["status"] == "TODO"
    assert info["validator"]["$jsonSchema"]["properties"]["people"]["bsonType"] == ["array", "null"]
    await store.close()


@pytest.fixture
def frozen(tmp_path: Path) -> Server:
    """Give a server of the test's own, to be frozen."""
    tmp_path.chmod(0o755)
    return mongo(tmp_path / "server")


@pytest.mark.servers
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_frozen_server_is_given_up_within_the_deadline_and_found_again(
    frozen: Server,
) -> None:
    with frozen as server:
        patient = MongoReadStore(server.url, "frozen", timeout_s=10)
        store = MongoReadStore(server.url, "frozen", timeout_s=1)
        try:
            await patient.create(THINGS)
            control = await patient.write(
                Batch(control=Control(), written=[Written(THINGS, [thing(1)])])
            )
            with suppress(ReadStoreUnavailable):
                await store.control()  # it has connected
            assert server.pid is not None
            freeze(server.pid)
            try:
                async with asyncio.timeout(TAKEN_OVER_S):
                    for call in (store.control(), page(store), store.lease("one", 3)):
                        with pytest.raises(ReadStoreUnavailable):
                            await call
            finally:
                os.kill(server.pid, signal.SIGCONT)

            async with asyncio.timeout(TAKEN_OVER_S):
                while True:
                    try:
                        assert await store.control() == control
                        break
                    except ReadStoreUnavailable:
                        await asyncio.sleep(0.05)
        finally:
            await patient.close()
            await store.close()
    gc.collect()  # the driver forgets sockets that went silent, and the warning belongs here


@pytest.mark.servers
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_holder_whose_batch_timed_out_ends_the_transaction_itself(frozen: Server) -> None:
    def freezing(pid: int) -> Iterator[Written]:
        yield Written(THINGS, [thing(1, status="HELD")])
        freeze(pid)  # the transaction has begun
        yield Written(THINGS, [thing(2)])

    with frozen as server:
        assert server.pid is not None
        store = MongoReadStore(server.url, "frozen", timeout_s=2)
        try:
            await store.create(THINGS)
            fences = await store.lease("one", 60)
            try:
                written: Any = freezing(server.pid)
                with pytest.raises(ReadStoreUnavailable):
                    await store.write(Batch(control=Control(), fence=fences[0], written=written))
            finally:
                os.kill(server.pid, signal.SIGCONT)

            change = Written(THINGS, [thing(1, status="DONE")])
            async with asyncio.timeout(TAKEN_OVER_S):
                while True:
                    try:
                        await store.write(
                            Batch(control=Control(), fence=fences[0], written=[change])
                        )
                        break
                    except ReadStoreUnavailable:
                        await asyncio.sleep(0.05)

            assert (await page(store)).keys == [1]
        finally:
            await store.close()
    gc.collect()  # as above
