"""Given events, when a command, then events: the real handler with the log in memory."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from commands.base import Command, Context
from commands.handler import CommandHandler
from commands.happening import Happening, Reservations
from commands.reservations import note
from domain.base import PLATFORM, DomainError, Event, OrgId, State
from domain.catalog import state_of, tag_of
from eventstore.append import Append, Appended, Outcome
from eventstore.codec import NOWHERE, PERSONAL, Cipher, encode
from eventstore.keys import key_owner
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Actor, ActorKind, Metadata, microseconds
from eventstore.store import Store
from security.sealing import DataKeys, master_keys
from tests.domain.spec import ACME, ANA, NOW

PLATFORM_KINDS = ("user", "session")

RECORDED: defaultdict[type[Command], set[type[Event]]] = defaultdict(set)
"""What each command has recorded in all tests that ran."""

SPREAD: set[type[Command]] = set()
"""The commands that have written for several owners in tests: organizations, or the platform."""

RUNNER = asyncio.Runner()
"""One for all tests, because creating a loop costs more than a test; closed at their end."""

S = TypeVar("S", bound=State)


def data_keys() -> DataKeys:
    """Return real keys with a master key that is not secret."""
    return DataKeys(master_keys("only for tests, and forty letters long .."), b"pepper" * 6)


class Past(NamedTuple):
    """Events of one stream."""

    stream: UUID
    events: tuple[Event, ...]
    org_id: OrgId


def on(stream: UUID, *events: Event, org_id: OrgId | None = None) -> Past:
    """Return events of *stream*; those of accounts belong to the platform."""
    platform = bool(events) and tag_of(events[0]).partition(".")[0] in PLATFORM_KINDS
    return Past(stream, events, org_id or (PLATFORM if platform else ACME))


def context(by: UUID = ANA, **about: Any) -> Context:
    """Return the context of a request of *by* in ACME at NOW; *about* overrides."""
    details: dict[str, Any] = {"now": NOW, "org_id": ACME}
    return Context(actor=Actor(ActorKind.USER, by), **(details | about))


@asynccontextmanager
async def opened(store: Store) -> AsyncGenerator[EventLog, None]:
    """Open the log on *store* during the block."""
    log = EventLog(store, data_keys())
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def record(
    log: EventLog,
    *past: Past,
    reserving: bool = True,
    by: Actor | None = None,
    at: datetime = NOW,
) -> int:
    """Append *past* in one command, with keys where needed; return its position.

    Without *reserving*, as if no rule about claims and counts had been asked. *by* is who did it,
    if not the system.
    """
    about: dict[str, Any] = {"at": microseconds(at)} | ({} if by is None else {"actor": by})
    append = Append(rows=[], expects={}, keys={}, owners={})
    append.owners.update({stream: org_id for stream, _, org_id in past})
    heads = await log.heads(append.owners)
    versions: dict[UUID, int] = {}
    reserved, states = Reservations([], []), dict[UUID, Any]()
    for stream, events, org_id in past:
        append.expects.setdefault(stream, heads.get(stream, 0))
        for event in events:
            versions[stream] = versions.get(stream, heads.get(stream, 0)) + 1
            metadata = envelope(stream, versions[stream], **about)
            cipher = await _cipher(log, event, key_owner(event, stream, org_id), append)
            append.rows.append(encode(event, metadata, org_id, NOWHERE, cipher))
            if stream not in states:
                kind = state_of(type(event))
                known = (await log.history(stream, org_id)).events
                states[stream] = reduce(lambda state, e: state.evolve(e), known, kind())
            now, fingerprint = microseconds(NOW), log.keys.fingerprint
            before = states[stream]
            happened = Happening(type(event), event, before, stream, org_id, now, None, fingerprint)
            note(happened, reserved)
            states[stream] = states[stream].evolve(event)
    if reserving:
        append.claims, append.counts = tuple(reserved.claims), tuple(reserved.counts)
    return await log.append(append) if append.rows else 0


async def folded(log: EventLog, kind: type[S], stream: UUID, org_id: OrgId) -> S:
    """Return the state that the events of a stream fold to."""
    state = kind()
    for event in (await log.history(stream, org_id)).events:
        state = state.evolve(event)
    return state


def envelope(stream: UUID, version: int, **about: Any) -> Metadata:
    """Return the metadata of an event; *about* overrides."""
    details: dict[str, Any] = {
        "at": microseconds(NOW),
        "actor": Actor(ActorKind.SYSTEM, UUID(int=0)),
        "command": "Test",
    }
    return Metadata(stream=stream, version=version, **(details | about))


async def _cipher(
    log: EventLog, event: Event, owner: tuple[UUID, OrgId], append: Append
) -> Cipher | None:
    subject, org_id = owner
    if not PERSONAL[type(event)].encoded:
        return None
    await log.fetch_keys({subject: org_id})
    cipher = log.keys.cached(subject)
    if cipher is None:
        append.owners[subject] = org_id
        cipher, append.keys[subject] = log.keys.make(subject)
        log.keys.keep(subject, cipher)
    return cipher


class _WatchedStore(MemoryStore):
    """Notes which commands write for several owners, which are in partitions of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = False

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        outcomes = super().commit(appends)
        for append, outcome in zip(appends, outcomes, strict=True):
            owners = {row.org_id for row in append.rows}
            owners |= {change.claim.org_id for change in append.claims}
            owners |= {change.count.org_id for change in append.counts}
            self.spread |= isinstance(outcome, Appended) and len(owners) > 1
        return outcomes


class Given:
    """The events that have already happened."""

    def __init__(self, *past: Past) -> None:
        self.past = past

    def when(self, command: Command, *, by: UUID = ANA, **about: Any) -> "When":
        """Run *command* as *by*; *about* overrides its context."""
        return RUNNER.run(self._run(command, context(by, **about)))

    async def _run(self, command: Command, asked: Context) -> "When":
        store = _WatchedStore()
        async with opened(store) as log:
            start = await record(log, *self.past)
            store.spread = False
            refused: DomainError | None = None
            try:
                await CommandHandler(log).handle(command, asked)
            except DomainError as error:
                refused = error
            after = await log.tail(start, 1_000)
            if store.spread:
                SPREAD.add(type(command))
            RECORDED[type(command)].update(type(r.event) for r in after)
            owners = {r.stream_id: r.org_id for r in after}
            secrets = {s: await log.secrets(s, org_id) for s, org_id in owners.items()}
            found = [Past(r.stream_id, (r.event,), r.org_id) for r in after]
            return When(found, refused, secrets)


class When:
    """The outcome of a command: events, nothing, or a refusal."""

    def __init__(
        self,
        recorded: Sequence[Past],
        refused: DomainError | None,
        secrets: Mapping[UUID, Mapping[str, bytes]],
    ) -> None:
        self.recorded, self.refused, self.secrets = recorded, refused, secrets

    def then(self, *expected: Event | Past) -> "When":
        """Check that exactly *expected* was recorded, in order; nothing if empty."""
        if self.refused is not None:
            raise self.refused
        found = list(self.recorded)
        for wanted in expected:
            for event in wanted.events if isinstance(wanted, Past) else (wanted,):
                assert found, f"{event} was not recorded"
                stream, (recorded,), org_id = found.pop(0)
                assert recorded == event
                if isinstance(wanted, Past):
                    assert (stream, org_id) == (wanted.stream, wanted.org_id)
        assert not found, f"also recorded: {found}"
        return self

    def then_refused(self, error: type[DomainError], **details: Any) -> None:
        """Check that the command was refused with exactly *error* and recorded nothing."""
        assert type(self.refused) is error, self.recorded or self.refused
        assert self.refused is not None
        assert self.refused.details.items() >= details.items()
        assert not self.recorded


def given(*past: Past) -> Given:
    """Start a test with the events that have already happened."""
    return Given(*past)
