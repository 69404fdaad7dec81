"""The system: every process opens one and finds its stores and services in it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from audit.log_check import LogCheck
from audit.tree_signer import TreeSigner
from commands.handler import CommandHandler
from domain.base import OrgId
from eventstore.append import LogUnfit, Secret
from eventstore.counters import LOG_DRIVER, OPERATIONS_DRIVER, counters_of
from eventstore.engine.schema import MAY_CHANGE
from eventstore.identifiers import random_bytes
from eventstore.log import EventLog
from eventstore.open import open_store
from eventstore.operations.open import open_operations
from eventstore.operations.store import OperationalStore
from projections.engine.open import open_read_store
from projections.engine.store import ReadStore
from runtime.buckets.kept import open_kept_heads
from runtime.clock import Clock, system_clock
from runtime.doorbell import Doorbell
from runtime.outages import StoreOutage
from runtime.password_hashes import password_hashes
from runtime.redis_rates import RedisRates
from runtime.settings import Settings
from runtime.wakeups import Wakeups
from security.api_keys import ApiKeys
from security.cursors import CursorKey
from security.derivation import derive_key
from security.mail_tokens import MailTokens
from security.passwords import HashingQueue
from security.sealing import DataKeys, MasterKeys, SealBroken, master_keys, pepper_hash
from security.tokens import AccessTokens, KeyRing
from security.url_guard import UrlGuard

T = TypeVar("T")

CONNECTS_MAX = 5
"""Attempts to reach a store at start; the n-th is followed by a wait of n x ``_WAIT_S``."""
_WAIT_S = 5.0
NO_OWNER = UUID(int=0)
KEY_CHECK = "master key check"
"""The name of what only the log's own secrets give; it belongs to nobody."""
OTHER_PEPPER = (
    "LOG_SECRET is not the one that this log was written with: nobody could log in, and checkpoints"
    " would be signed with another key; restore DATA_DIR/secrets.json, or set the old secret"
)
OTHER_KEY = (
    "MASTER_KEY is not the one that this log was written with: restore DATA_DIR/secrets.json, or"
    " set the secrets that it held"
)
_DRIVERS = {"event log": LOG_DRIVER, "operational state": OPERATIONS_DRIVER}
"""The stores that are waited for at the start, and whose counters count the attempts."""
ISSUER = "trackrecord"
AUDIENCE = "trackrecord-api"
_logger = logging.getLogger(__name__)


class StoreUnreachable(Exception):
    """A store did not answer in all attempts; the message says which one and where."""


class Keys(Struct, frozen=True):
    """The keys derived from the configured secrets, one per purpose."""

    ring: KeyRing
    tokens: AccessTokens
    refresh: bytes
    devices: bytes
    challenges: bytes
    recovery: bytes
    pepper: bytes
    cursors: CursorKey
    master: MasterKeys
    audit: bytes
    mail_tokens: MailTokens
    api_keys: ApiKeys


class System(Struct, frozen=True, kw_only=True):
    """The wired parts of one process."""

    settings: Settings
    clock: Clock
    keys: Keys
    log: EventLog
    commands: CommandHandler
    tree_signer: TreeSigner
    log_check: LogCheck
    operations: OperationalStore
    wakeups: Wakeups
    doorbell: Doorbell
    redis_rates: RedisRates
    passwords: HashingQueue
    guard: UrlGuard
    read_store: ReadStore


def derive_keys(settings: Settings) -> Keys:
    """Return the keys of a deployment; the same settings give the same keys everywhere."""
    ring = KeyRing(
        settings.jwt_access_secret, settings.jwt_previous_secret, settings.jwt_next_secret
    )
    return Keys(
        ring=ring,
        tokens=AccessTokens(
            ring, issuer=ISSUER, audience=AUDIENCE, lifetime_max=settings.jwt_access_expiry
        ),
        refresh=derive_key(settings.jwt_refresh_secret, "refresh tokens"),
        devices=derive_key(settings.jwt_refresh_secret, "known devices"),
        challenges=derive_key(settings.jwt_refresh_secret, "login challenges"),
        recovery=derive_key(settings.log_secret, "recovery codes"),
        pepper=derive_key(settings.log_secret, "claims on personal values"),
        cursors=CursorKey(settings.jwt_refresh_secret),
        master=master_keys(settings.master_key, settings.master_previous_key),
        audit=derive_key(settings.log_secret, "audit checkpoints"),
        mail_tokens=MailTokens(derive_key(settings.log_secret, "tokens in mails")),
        api_keys=ApiKeys(derive_key(settings.log_secret, "API keys")),
    )


@asynccontextmanager
async def open_system(settings: Settings, clock: Clock = system_clock) -> AsyncGenerator[System]:
    """Open the stores, waiting for those that are still starting, and close them at the end.

    The read models are not waited for: commands, logins and health need only the log.

    :raises StoreUnreachable: a store did not answer in ``CONNECTS_MAX`` attempts.
    :raises LogUnfit: production, and a database role that could change events.
    """
    keys = derive_keys(settings)
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(_open_log_as_process(settings, keys))
        read_store = _read_store(settings)
        stack.push_async_callback(read_store.close)
        operations = await stack.enter_async_context(_open_operations(settings))
        wakeups, doorbell = await stack.enter_async_context(_announcing(log, settings))
        redis_rates = RedisRates(settings.redis_url)
        stack.push_async_callback(redis_rates.close)
        kept_heads = open_kept_heads(settings)
        passwords = HashingQueue(password_hashes(settings))
        stack.callback(passwords.close)
        yield System(
            settings=settings,
            clock=clock,
            keys=keys,
            log=log,
            commands=CommandHandler(log),
            tree_signer=TreeSigner(log, keys.audit, clock, kept_heads),
            log_check=LogCheck(log, TreeSigner(log, keys.audit, clock), kept_heads),
            operations=operations,
            wakeups=wakeups,
            doorbell=doorbell,
            redis_rates=redis_rates,
            passwords=passwords,
            guard=UrlGuard(settings.webhook_allow_networks),
            read_store=read_store,
        )


def _read_store(settings: Settings) -> ReadStore:
    return open_read_store(
        settings.mongodb_uri,
        settings.mongodb_database,
        settings.data_dir,
        settings.read_models_deadline.total_seconds(),
    )


@asynccontextmanager
async def _announcing(
    log: EventLog, settings: Settings
) -> AsyncGenerator[tuple[Wakeups, Doorbell]]:
    """Announce every commit of this process."""
    redis = (settings.redis_url, settings.redis_deadline.total_seconds())
    wakeups, doorbell = Wakeups(*redis), Doorbell(*redis)
    wakeups.on_ring(log.news.grown)
    wakeups.listen()
    log.on_commit(wakeups.committed)
    log.on_append(doorbell.ring)
    try:
        yield wakeups, doorbell
    finally:
        await doorbell.close()
        await wakeups.close()


@asynccontextmanager
async def open_log(settings: Settings, keys: Keys) -> AsyncGenerator[EventLog]:
    """Open only the event log, for commands that need no read model.

    :raises StoreUnreachable: it did not answer in ``CONNECTS_MAX`` attempts.
    """
    log = await retry_until_reachable(
        "event log", settings.events_url, lambda: _open_log(settings, keys)
    )
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def _open_log_as_process(settings: Settings, keys: Keys) -> AsyncGenerator[EventLog]:
    async with open_log(settings, keys) as log:
        await retry_until_reachable(
            "event log", settings.events_url, lambda: _refuse_strong_role(settings, log)
        )
        await retry_until_reachable(
            "event log", settings.events_url, lambda: _refuse_other_secrets(log, keys)
        )
        yield log


@asynccontextmanager
async def _open_operations(settings: Settings) -> AsyncGenerator[OperationalStore]:
    store = open_operations(settings.events_url, settings.operations_deadline.total_seconds())
    try:
        await retry_until_reachable("operational state", settings.events_url, store.open)
        yield store
    finally:
        await store.close()


async def _open_log(settings: Settings, keys: Keys) -> EventLog:
    deadline_s = settings.events_deadline.total_seconds()
    store = await asyncio.to_thread(open_store, settings.events_url, deadline_s)
    wrapper = DataKeys(keys.master, keys.pepper, random=random_bytes)
    log = EventLog(store, wrapper, deadline_s=deadline_s)
    await log.open()
    return log


async def _refuse_strong_role(settings: Settings, log: EventLog) -> None:
    if await asyncio.to_thread(log.store.may_change_events):
        if settings.is_production:
            raise LogUnfit(MAY_CHANGE)
        _logger.warning(MAY_CHANGE)


async def _refuse_other_secrets(log: EventLog, keys: Keys) -> None:
    """Refuse secrets with which nothing in the log can be read or found; the first are noted.

    New secrets are generated where the old ones were lost, which would otherwise go unnoticed.

    :raises LogUnfit: the log was written with others.
    """
    sign = pepper_hash(keys.pepper, KEY_CHECK, "")
    nobody = OrgId(NO_OWNER)
    noted = (await log.secrets(NO_OWNER, nobody)).get(KEY_CHECK)
    if noted is None:
        await log.put_secret(Secret(NO_OWNER, KEY_CHECK, keys.master.wrap(sign, NO_OWNER)), nobody)
        return
    try:
        known = keys.master.unwrap(noted, NO_OWNER)
    except SealBroken:
        raise LogUnfit(OTHER_KEY) from None
    if known != sign:
        raise LogUnfit(OTHER_PEPPER)


async def retry_until_reachable(
    what: str, url: str, reach: Callable[[], Awaitable[T]], *, wait_s: float = _WAIT_S
) -> T:
    """Return what *reach* returns, retrying with growing pauses while a store is down.

    :raises StoreUnreachable: after ``CONNECTS_MAX`` attempts.
    """
    for attempt in range(1, CONNECTS_MAX + 1):
        try:
            return await reach()
        except (*StoreOutage, OSError) as error:
            if attempt == CONNECTS_MAX:
                raise StoreUnreachable(
                    f"{what} at {without_password(url)} did not answer in {attempt} attempts"
                ) from error
            counters_of(_DRIVERS[what]).retried()
            _logger.warning(
                "%s at %s does not answer (attempt %d of %d); next in %.0f s",
                what,
                without_password(url),
                attempt,
                CONNECTS_MAX,
                attempt * wait_s,
            )
            await asyncio.sleep(attempt * wait_s)
    raise AssertionError("the last attempt returns or raises")


def without_password(url: str) -> str:
    """Return *url* without user and password, fit for a log line."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else url
