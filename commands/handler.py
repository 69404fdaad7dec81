"""The command handler: load, decide, encode, append, reply."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from commands.base import Command, Context
from commands.if_match import refuse_if_changed_since
from commands.reads import Reads
from commands.receipt import Receipt, Render
from commands.recording import Recording, prepare
from commands.states import StateCache, States
from commands.stored_replies import StoredReplies
from domain.base import DomainError
from eventstore.append import CommandAlreadyDone, ConcurrencyConflict
from eventstore.log import EventLog

ATTEMPTS_MAX = 12
"""Attempts of one command against concurrent ones, before the caller has to retry."""


class CommandHandler:
    """Runs commands against the log and retries when somebody else wrote first."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self.states = States(log, StateCache())
        """The folded streams of this process, for queries that must be up to date."""
        self._replies = StoredReplies(log, self.states)

    async def handle(
        self, command: Command, context: Context, render: Render | None = None
    ) -> Receipt:
        """Run *command*: record its events, find nothing to record, or refuse it.

        Each attempt takes five steps. The first two are the command's own, and interleave:

        1. load: fold the streams that the decision asks for, from memory or from the log;
        2. decide: the command returns what to record, or a rule refuses it;
        3. encode: encrypt personal values and turn the events into rows;
        4. append: write everything at once if all versions that were read still hold;
        5. reply: return the new states, or the stored reply to the same key if the caller is still
           authenticated and permitted.

        :raises DomainError: a rule refused it, based on the newest events.
        :raises ConcurrencyConflict: concurrent commands were faster ``ATTEMPTS_MAX`` times in a
            row.
        :raises LogUnavailable: the database cannot be written.
        """
        stored = await self._replies.find(command, context)
        if stored is not None:
            return stored
        async with self._turn(command.target):
            return await self._attempts(command, context, render)

    async def _attempts(self, command: Command, context: Context, render: Render | None) -> Receipt:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            reads = Reads(self.states, context.org_id)
            try:
                receipt = await self._attempt(command, context, render, reads)
            except DomainError:
                # A refusal is final only if it was based on the newest events.
                moved = await self._moved(reads, context)
                receipt = None if moved else await self._replies.find(command, context)
                if receipt is None and not moved:
                    raise
            except ConcurrencyConflict as conflict:
                await self._moved(reads, context)
                if conflict.stream in context.seen or attempt == ATTEMPTS_MAX:
                    raise
                continue
            if receipt is not None:
                return receipt
        raise ConcurrencyConflict(command.target or context.organization_or_platform)

    async def _attempt(
        self, command: Command, context: Context, render: Render | None, reads: Reads
    ) -> Receipt | None:
        """Return the result of one attempt; None if it was based on outdated states."""
        await command.admit(reads, context)
        decision = await command.decide(reads, context)
        recording = await prepare(self._log, command, context, reads, decision)
        await refuse_if_changed_since(self._log, command, context, recording)
        if recording.writes and not context.dry_run:
            return await self._append(command, context, render, reads, recording)
        if await self._moved(reads, context):
            return None
        if recording.writes:
            await self._log.rehearse(recording.append)
        stored = await self._replies.find(command, context)
        if stored is not None:
            return stored
        receipt = _nothing_recorded(reads, recording, context)
        return await self._use_key(command, context, render, recording, receipt)

    async def _append(
        self,
        command: Command,
        context: Context,
        render: Render | None,
        reads: Reads,
        recording: Recording,
    ) -> Receipt:
        for stream, found in reads.states.items():
            recording.states.setdefault(stream, found)  # the append changes those that it numbers
        receipt = Receipt(position=None, states=recording.states, events=recording.changes)
        await self._replies.add(recording, context, render, receipt)
        try:
            position = await self._log.append(recording.append)
        except CommandAlreadyDone as done:
            stored = await self._replies.instead(command, context, done)
            return stored or msgspec.structs.replace(receipt, position=done.position)
        for stream, loaded in recording.states.items():
            self.states.cache.put(stream, loaded)
        for subject, cipher in recording.ciphers.items():
            self._log.keys.keep(subject, cipher)
        positions = self._log.positions_of(recording.append.rows)
        return msgspec.structs.replace(receipt, position=position, positions=positions)

    async def _use_key(
        self,
        command: Command,
        context: Context,
        render: Render | None,
        recording: Recording,
        receipt: Receipt,
    ) -> Receipt:
        """Use up the key of a command that records nothing: a retry gets the same reply."""
        if context.idempotency is None:
            return receipt
        await self._replies.add(recording, context, render, receipt)
        try:
            await self._log.append(recording.append)
        except CommandAlreadyDone as done:
            return await self._replies.instead(command, context, done) or receipt
        return receipt

    async def _moved(self, reads: Reads, context: Context) -> bool:
        """Return whether what an attempt read has changed since."""
        moved = await self.states.refresh(reads.loaded, context.org_id)
        return moved or await reads.claims_moved()

    def _turn(self, target: UUID | None) -> AbstractAsyncContextManager[Any]:
        """Make commands on the same stream of this process wait for each other."""
        if target is None:
            return nullcontext()
        return self._locks.setdefault(target, asyncio.Lock())


def _nothing_recorded(reads: Reads, recording: Recording, context: Context) -> Receipt:
    """Return the states found, and after a dry run those that would result."""
    states = reads.states | (recording.states if context.dry_run else {})
    return Receipt(position=None, states=states, events=recording.changes)
