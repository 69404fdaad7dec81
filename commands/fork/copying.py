"""Copies events into the fork, in batches of which each is one append."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.fork.finish import ForkOrganization
from commands.fork.narrowing import Narrowing
from commands.fork.progress import ForkProgress
from commands.fork.survey import Survey, rows_up_to
from commands.happening import Happening, Reservations, added_up
from commands.lint.unknowable import is_unknowable
from commands.reservations import RESERVING, note
from commands.states import Loaded, StateCache, States
from domain.base import PLATFORM, Event, UserId
from domain.catalog import state_of
from eventstore.append import Append
from eventstore.claim import CountChange
from eventstore.codec import NOWHERE, SEALED_TYPES, Cipher, encode
from eventstore.log import EventLog
from eventstore.recorded import Actor, ActorKind, Metadata, Recorded, microseconds


class ForkCopy:
    """The fork as far as it is copied. Nobody has access to it: it is no organization yet."""

    def __init__(self, log: EventLog, survey: Survey, progress: ForkProgress) -> None:
        self._log, self._survey, self.progress = log, survey, progress
        self._fork = survey.ids.fork
        self._states = States(log, StateCache())

    async def copy_some(self) -> bool:
        """Copy the next events; return whether there were any.

        :raises ConcurrencyConflict: somebody else makes the same fork.
        """
        progress, org_id = self.progress, self._survey.ids.org_id
        async for rows in rows_up_to(self._log, org_id, progress.done, progress.at):
            copied = [row for row in rows if self._survey.is_copied(row)]
            batch = _Batch(self._log, self._survey, self._states)
            for recorded in await self._log.decoded(copied):
                await batch.add(recorded)
            after = replace(
                progress, done=rows[-1].org_seq, copied=progress.copied + len(batch.rows)
            )
            if batch.rows:
                await self._log.append(batch.append(after))
                batch.keep_keys()
            self.progress = after
            return True
        return False

    async def narrow(self, then: Iterable[UserId], now: datetime) -> int:
        """Keep from people what the original, of which *then* were members, shows them no more.

        Return how many teams, projects and views are for fewer people now.
        """
        count = 0
        async for found in Narrowing(self._log, self._survey, then).find():
            batch = _Batch(self._log, self._survey, self._states)
            for version, event in enumerate(found.events, found.version + 1):
                await batch.add_own(found.stream, version, event, microseconds(now))
            after = replace(self.progress, copied=self.progress.copied + len(batch.rows))
            await self._log.append(batch.append(after))
            self.progress, count = after, count + 1
        return count


class _Batch:
    """The events of one append, with what they reserve and the keys that seal them."""

    def __init__(self, log: EventLog, survey: Survey, states: States) -> None:
        self._log, self._survey, self._states = log, survey, states
        self._fork = survey.ids.fork
        self._expects: dict[UUID, int] = {}
        self._keys: dict[UUID, bytes] = {}
        self._ciphers: dict[UUID, Cipher] = {}
        self._reserved = Reservations([], [])
        self.rows: list[Any] = []

    async def add(self, original: Recorded) -> None:
        """Add the copy of an event."""
        stream = self._survey.ids.of(original.stream_id)
        event = self._survey.copy_of(original.event)
        self._expects.setdefault(stream, original.version - 1)
        await self._note(stream, event, original.version, original.recorded_at)
        cipher = await self._cipher(stream, original) if type(event) in SEALED_TYPES else None
        metadata = self._envelope(stream, original)
        self.rows.append(encode(event, metadata, self._fork, NOWHERE, cipher))

    async def add_own(self, stream: UUID, version: int, event: Event, at: int) -> None:
        """Add an event of the fork itself, in which nothing is sealed."""
        self._expects.setdefault(stream, version - 1)
        await self._note(stream, event, version, at)
        metadata = Metadata(
            stream=stream,
            version=version,
            at=at,
            actor=Actor(ActorKind.SYSTEM, PLATFORM),
            command=ForkOrganization.__name__,
        )
        self.rows.append(encode(event, metadata, self._fork, NOWHERE, None))

    def append(self, progress: ForkProgress) -> Append:
        """Return what is written: the events, and how far the fork has come with them."""
        return Append(
            rows=self.rows,
            expects={self._fork: 0, **self._expects},  # it is neither whole nor given up
            keys=self._keys,
            org_id=self._fork,
            claims=tuple(self._reserved.claims),
            counts=added_up(self._reserved.counts),
            secrets=(progress.stored(self._fork),),
        )

    def keep_keys(self) -> None:
        """Remember the keys that are durable now."""
        for subject, cipher in self._ciphers.items():
            self._log.keys.keep(subject, cipher)

    async def _note(self, stream: UUID, event: Event, version: int, at: int) -> None:
        """Add what *event* reserves, and pass over its stream."""
        before = await self._before(stream, event, version)
        if type(event) in RESERVING:
            own = Reservations([], [])
            happened = Happening(
                type(event),
                event,
                before,
                stream,
                self._fork,
                at,
                None,
                self._log.keys.fingerprint,
            )
            note(happened, own)
            # What is due is found by claims of the platform: nothing is, before the fork is whole.
            self._reserved.claims += [
                each
                for each in own.claims
                if each.claim.org_id != PLATFORM and not is_unknowable(happened, each.claim)
            ]
            self._reserved.counts += [_unlimited(each) for each in own.counts if each.by]
        after = Loaded(before.evolve(event), version, self._fork, None)
        self._states.cache.put(stream, after)

    async def _before(self, stream: UUID, event: Event, version: int) -> Any:
        kind = state_of(type(event))
        if version == 1:
            return kind()
        known = self._states.cache.get(stream)
        if known is None:
            known = await self._states.load(kind, stream, self._fork)
        return known.state

    async def _cipher(self, stream: UUID, original: Recorded) -> Cipher:
        """Return the key of a stream of the fork: all that is copied is sealed by its own."""
        cipher = self._ciphers.get(stream) or self._log.keys.cached(stream)
        if cipher is None and original.version > 1:
            await self._log.fetch_keys({stream: self._fork})
            cipher = self._log.keys.cached(stream)
        if cipher is None:
            cipher, self._keys[stream] = self._log.keys.make(stream)
            self._ciphers[stream] = cipher
        return cipher

    def _envelope(self, stream: UUID, original: Recorded) -> Metadata:
        """Return the envelope of a copy: who, when and for which request, but not from where."""
        told, actor = original.metadata, original.metadata.actor
        if actor.kind is ActorKind.SYSTEM:
            actor = Actor(actor.kind, self._survey.ids.of(actor.id))
        return Metadata(
            stream=stream,
            version=original.version,
            at=told.at,
            actor=actor,
            command=told.command,
            on_behalf_of=told.on_behalf_of,
            request_id=told.request_id,
            correlation_id=told.correlation_id,
            copy_of=original.id,
        )


def _unlimited(change: CountChange) -> CountChange:
    """Return *change* without the limit that it kept in the original."""
    return CountChange(change.count, change.by, times=change.times)
