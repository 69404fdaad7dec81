"""The command handler: load, decide, encode, append, reply."""

from collections.abc import Mapping

from commands.base import Command, Context
from commands.if_match import refuse_if_changed_since
from commands.reads import Reads
from commands.receipt import Receipt, Render
from commands.recording import Recording, prepare
from commands.states import StateCache, States
from commands.stored_replies import StoredReplies
from domain.base import DomainError
from eventstore.append import CommandAlreadyDone, ConcurrencyConflict
from eventstore.engine.turns import OneAtATime
from eventstore.log import EventLog

ATTEMPTS_MAX = 12
"""Attempts of one command against concurrent ones, before the caller has to retry."""


class CommandHandler:
    """Runs commands against the log and retries when somebody else wrote first."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._turns = OneAtATime()
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
        3. encode: turn the events into rows, and encrypt personal values when others do;
        4. append: write everything at once if all versions that were read still hold;
        5. reply: return the new states, or the stored reply to the same key if the caller is still
           authenticated and permitted.

        :raises DomainError: a rule refused it, based on the newest events.
        :raises ConcurrencyConflict: concurrent commands were faster ``ATTEMPTS_MAX`` times in a
            row.
        :raises LogUnavailable: the database cannot be written.
        """
        if context.idempotency is not None:
            stored = await self._replies.find(command, context)
            if stored is not None:
                return stored
        target = command.turn(context)
        if target is None:
            return await self._attempts(command, context, render)
        if not self._turns.begin(target):
            await self._turns.wait(target)
        try:
            return await self._attempts(command, context, render)
        finally:
            self._turns.end(target)

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
            return await self._append(command, context, render, recording)
        if await self._moved(reads, context):
            return None
        if recording.writes:
            await self._log.rehearse(recording.append)
        stored = await self._replies.find(command, context)
        if stored is not None:
            return stored
        return await self._use_key(command, context, render, recording)

    async def _append(
        self,
        command: Command,
        context: Context,
        render: Render | None,
        recording: Recording,
    ) -> Receipt:
        if context.idempotency is not None:
            await self._replies.add(recording, context, render, _receipt(recording))
        try:
            position = await self._log.append(recording.append)
        except CommandAlreadyDone as done:
            stored = await self._replies.instead(command, context, done)
            if stored is not None:
                return stored
            position = done.position  # it was recorded by us, but the answer of the log got lost
        # They lead back to the recording, which would be freed only by the garbage collector.
        recording.append.numbers = ()
        for change in recording.changes:
            self.states.cache.put(change.stream, recording.states[change.stream])
        for subject, cipher in recording.ciphers.items():
            self._log.keys.keep(subject, cipher)
        for subject in recording.append.destroyed:
            self._log.keys.forget(subject)
        return _receipt(recording, position, self._log.positions_of(recording.append.rows))

    async def _use_key(
        self,
        command: Command,
        context: Context,
        render: Render | None,
        recording: Recording,
    ) -> Receipt:
        """Use up the key of a command that records nothing: a retry gets the same reply."""
        receipt = _receipt(recording)
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
        return moved or await reads.others_moved()


def _receipt(
    recording: Recording, position: int | None = None, positions: Mapping[int, int] | None = None
) -> Receipt:
    """Return what a command has done, once it is recorded at *position*."""
    return Receipt(
        position=position,
        positions={} if positions is None else positions,
        states=recording.states,
        events=recording.changes,
    )
