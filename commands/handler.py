"""Load, decide, append: the same steps for every command."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct

from commands.base import (
    Change,
    ChangedSince,
    Command,
    Context,
    Decision,
    KeyReused,
    NotPermitted,
)
from commands.loading import Loader
from commands.reading import Loaded, NotLoaded, Numbers, NumberUnknown, Reading, StateCache
from commands.recording import Recording, prepare
from domain.base import DomainError, NotFound
from domain.claim import task_number_claim
from domain.identity.organization.state import Organization
from domain.permission import ROLE_PERMISSIONS
from eventstore.append import CommandAlreadyDone, ConcurrencyConflict, StoredReply
from eventstore.log import EventLog

ATTEMPTS_MAX = 12
"""Tries of one command against others on the same streams, before it is told to come back."""

PATIENCE = 4
"""Attempts after which the hint of the next task number is looked up anew."""


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of a command.

    ``position`` is that of its last event, None if nothing happened; ``states`` are the streams
    it changed (or found unchanged) with their new versions; ``events`` what it recorded.
    """

    position: int | None
    states: dict[UUID, Loaded]
    events: list[Change]
    reply: StoredReply | None = None


Render = Callable[[Receipt], Awaitable[StoredReply]]
"""Makes the reply that is stored with an Idempotency-Key, before the append."""


class CommandHandler:
    """Runs commands against the log and retries when somebody else wrote first."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._loader = Loader(log, StateCache())
        self._numbers = Numbers()
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @property
    def loader(self) -> Loader:
        """The folded streams of this process, for queries that must be fresh."""
        return self._loader

    async def handle(
        self, command: Command, context: Context, render: Render | None = None
    ) -> Receipt:
        """Run *command* to its end: recorded, already so, or refused with nothing recorded.

        :raises DomainError: a rule refused it, judged on the newest events.
        :raises ConcurrencyConflict: others were faster ``ATTEMPTS_MAX`` times in a row.
        :raises LogUnavailable: the database does not write.
        """
        stored = await self._stored(context)
        if stored is not None:
            return stored
        async with self._turn(command.target):
            return await self._attempts(command, context, render)

    async def _attempts(self, command: Command, context: Context, render: Render | None) -> Receipt:
        extra: dict[UUID, Loaded] = {}
        conflict: ConcurrencyConflict | None = None
        for attempt in range(1, ATTEMPTS_MAX + 1):
            reading = Reading(self._loader.cache, self._numbers, context.org_id, extra)
            try:
                decision = await self._decide(command, context, reading)
                recording = await prepare(self._log, command, context, reading, decision)
                await self._check_unchanged_since(command, context, recording)
                if context.dry_run or not recording.writes:
                    if await self._loader.refresh(reading.loaded, extra):
                        self._return_number(reading)
                        continue
                    stored = await self._stored(context)
                    return stored or await self._nothing_recorded(
                        reading, recording, context, render
                    )
                return await self._append(recording, context, render, reading)
            except DomainError:
                self._return_number(reading)
                # A refusal goes out only if it was decided on the newest events.
                if not await self._loader.refresh(reading.loaded, extra):
                    stored = await self._stored(context)
                    if stored is None:
                        raise
                    return stored
            except ConcurrencyConflict as error:
                conflict = error
                await self._lose(reading, error.stream, attempt)
                await self._loader.refresh(reading.loaded, extra)
                if error.stream in context.seen:
                    raise
            except BaseException:
                self._return_number(reading)
                raise
        raise conflict or ConcurrencyConflict(command.target or context.command_id)

    async def _decide(self, command: Command, context: Context, reading: Reading) -> Decision:
        while True:
            try:
                _check_permission(command, context, reading)
                return command.decide(reading, context)
            except NotLoaded as missing:
                await self._loader.load(missing.kind, missing.stream, reading.extra)
            except NumberUnknown as unknown:
                number = await self._loader.first_free_number(unknown.project_id)
                self._numbers.start_at(unknown.project_id, number)
                self._return_number(reading)

    async def _append(
        self,
        recording: Recording,
        context: Context,
        render: Render | None,
        reading: Reading,
    ) -> Receipt:
        receipt = Receipt(position=None, states=recording.states, events=recording.changes)
        if context.idempotency is not None and render is not None:
            recording.append.reply_key = context.idempotency.reply_key
            recording.append.reply = await render(receipt)
        try:
            position = await self._log.append(recording.append)
        except CommandAlreadyDone as done:
            self._return_number(reading)
            return await self._done_before(done, context, receipt)
        for stream, loaded in recording.states.items():
            self._loader.cache.put(stream, loaded)
        for subject, cipher in recording.ciphers.items():
            self._log.keys.keep(subject, cipher)
        return msgspec.structs.replace(receipt, position=position)

    async def _done_before(
        self, done: CommandAlreadyDone, context: Context, receipt: Receipt
    ) -> Receipt:
        stored = await self._stored(context)
        return stored or msgspec.structs.replace(receipt, position=done.position)

    async def _stored(self, context: Context) -> Receipt | None:
        """Return what was replied to this Idempotency-Key before.

        Asked once more before anything is refused or left undone: the same request may have
        been recorded meanwhile, and then it met its own effect.
        """
        if context.idempotency is None:
            return None
        stored = await self._log.reply(context.idempotency.reply_key)
        return None if stored is None else _replayed(stored, context)

    async def _nothing_recorded(
        self, reading: Reading, recording: Recording, context: Context, render: Render | None
    ) -> Receipt:
        """Return what was found; a retry under the same key will get the same answer."""
        self._return_number(reading)
        states = {stream: found for stream, (_, found) in reading.loaded.items()}
        if context.dry_run:
            states.update(recording.states)
        receipt = Receipt(position=None, states=states, events=recording.changes)
        if context.idempotency is not None and render is not None:
            recording.append.reply_key = context.idempotency.reply_key
            recording.append.reply = await render(receipt)
            await self._log.append(recording.append)
        return receipt

    async def _check_unchanged_since(
        self, command: Command, context: Context, recording: Recording
    ) -> None:
        """Refuse when a field that this command sets was changed after the If-Match version.

        The version is that of the command's target. Each field of an aggregate has an event of
        its own, so the tags say what was set.
        """
        if context.if_match is None:
            return
        for change in recording.changes:
            if change.stream != command.target:
                continue
            before = recording.append.expects[change.stream]
            if before < context.if_match:
                raise ChangedSince(version=before)
            if before > context.if_match:
                since = await self._log.stream(change.stream, context.if_match)
                tags = {str(event.__struct_config__.tag) for event in change.events}
                if any(recorded.tag in tags for recorded in since):
                    raise ChangedSince(version=before)

    def _turn(self, target: UUID | None) -> AbstractAsyncContextManager[Any]:
        if target is None:
            return nullcontext()
        lock = self._locks.get(target)
        if lock is None:
            lock = self._locks[target] = asyncio.Lock()
        return lock

    def _return_number(self, reading: Reading) -> None:
        if reading.taken is not None:
            self._numbers.give_back(*reading.taken)
            reading.taken = None

    async def _lose(self, reading: Reading, stream: UUID, attempt: int) -> None:
        """Let go of the number that a lost race took, so that nobody needs long for the next.

        One that somebody holds is never tried again, and others may be far ahead. One whose
        predecessor is missing goes back; whoever had that one has given it back too, or does now.
        """
        for assumed in reading.assumed:
            self._loader.cache.drop(assumed)
        if reading.taken is None:
            return
        project_id, number = reading.taken
        if stream == task_number_claim(project_id, number):
            reading.taken = None
            free = await self._loader.first_free_number(project_id)
            self._numbers.skip_to(project_id, max(free, number + 1))
        elif attempt > PATIENCE:
            self._numbers.forget(project_id)
        self._return_number(reading)


def _check_permission(command: Command, context: Context, reading: Reading) -> None:
    if command.needs is None:
        return
    role = reading(Organization, context.organization).role_of(context.user_id)
    if role is None:
        raise NotFound
    if command.needs not in ROLE_PERMISSIONS[role]:
        raise NotPermitted(needs=command.needs)


def _replayed(stored: StoredReply, context: Context) -> Receipt:
    if context.idempotency is not None and stored.request_hash != context.idempotency.request_hash:
        raise KeyReused
    return Receipt(position=stored.position, states={}, events=[], reply=stored)
