"""The HTTP application as it describes itself, on a house of memory that needs no server."""

import asyncio
from contextlib import AsyncExitStack
from functools import cache
from hashlib import sha256
from typing import Any, cast

import httpx
from litestar import Litestar
from msgspec import Struct
from pymongo import AsyncMongoClient

from api.app import create_app
from api.policy import POLICY, handlers_of
from audit.sealer import Sealer
from commands.handler import CommandHandler
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.randomness import random_bytes
from runtime.clock import system_clock
from runtime.house import House, derive_keys
from runtime.settings import SECRET_NAMES, load_settings
from runtime.wakeups import Wakeups
from security.passwords import HashingQueue, Passwords
from security.sealing import DataKeys
from security.url_guard import UrlGuard

DESCRIPTION = "/api/openapi.json"


class Described(Struct, frozen=True):
    """The OpenAPI description, and who may use each path and method."""

    schema: dict[str, Any]
    policies: dict[tuple[str, str], str]


@cache
def described_application() -> Described:
    """Return what the application says of itself, asked over HTTP like any client would."""
    return asyncio.run(_describe())


async def _describe() -> Described:
    async with AsyncExitStack() as stack:
        app = create_app(_house(stack))
        transport = httpx.ASGITransport(cast(Any, app))
        async with httpx.AsyncClient(transport=transport, base_url="http://docs") as client:
            answer = await client.get(DESCRIPTION)
        answer.raise_for_status()
        return Described(answer.json(), _policies(app))


def _policies(app: Litestar) -> dict[tuple[str, str], str]:
    return {(path, method): str(handler.opt[POLICY]) for path, method, handler in handlers_of(app)}


def _house(stack: AsyncExitStack) -> House:
    """Return a house with nothing in it; its secrets are anybody's, as it keeps none."""
    made_up = {name: sha256(name.encode()).hexdigest() for name in SECRET_NAMES}
    settings = load_settings({**made_up, "APP_ENV": "development", "LOG_LEVEL": "ERROR"})
    keys = derive_keys(settings)
    log = EventLog(MemoryStore(), DataKeys(keys.master, random=random_bytes))
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(connect=False)
    stack.push_async_callback(client.close)
    passwords = HashingQueue(Passwords())
    stack.callback(passwords.close)
    return House(
        settings=settings,
        clock=system_clock,
        keys=keys,
        log=log,
        commands=CommandHandler(log),
        sealer=Sealer(log, keys.audit, system_clock),
        wakeups=Wakeups(),
        passwords=passwords,
        guard=UrlGuard(),
        database=client["docs"],
    )
