"""Stored replies: repeated only to callers who are still authenticated and permitted."""

from commands.base import Command, Context, KeyReused
from commands.reads import Reads
from commands.receipt import Receipt
from commands.states import States
from domain.base import PLATFORM, DomainError
from eventstore.append import ConcurrencyConflict, StoredReply
from eventstore.log import EventLog

LOOKS_MAX = 12
"""How often the permission is checked again if what it depends on changes meanwhile."""


class StoredReplies:
    """Finds the stored reply to an Idempotency-Key."""

    def __init__(self, log: EventLog, states: States) -> None:
        self._log, self._states = log, states

    async def find(self, command: Command, context: Context) -> Receipt | None:
        """Return the stored reply to this request, None if there is none.

        Called first, and again before anything is refused or found unchanged: the same request may
        have been recorded in between, so that this one sees its own effect.

        :raises KeyReused: the key was used for another request.
        :raises DomainError: the caller may no longer send this command.
        :raises ConcurrencyConflict: the session or account of the caller changed.
        """
        if context.idempotency is None:
            return None
        stored = await self._log.reply(context.idempotency.reply_key, context.org_id or PLATFORM)
        if stored is None:
            return None
        if stored.request_hash != context.idempotency.request_hash:
            raise KeyReused
        await self._refuse_unless_still_authenticated(context)
        await self._refuse_unless_still_permitted(command, context)
        return _receipt(stored)

    async def _refuse_unless_still_authenticated(self, context: Context) -> None:
        heads = await self._log.heads(dict.fromkeys(context.seen, PLATFORM))
        for stream, version in context.seen.items():
            if heads.get(stream, 0) != version:
                raise ConcurrencyConflict(stream)

    async def _refuse_unless_still_permitted(self, command: Command, context: Context) -> None:
        for _ in range(LOOKS_MAX):
            reads = Reads(self._states, context.org_id)
            refusal: DomainError | None = None
            try:
                await command.permit(reads, context)
            except DomainError as error:
                refusal = error
            if await self._states.refresh(reads.loaded, context.org_id):
                continue  # it was based on outdated states
            if refusal is not None:
                raise refusal
            return
        raise ConcurrencyConflict(command.target or context.command_id)


def _receipt(stored: StoredReply) -> Receipt:
    return Receipt(position=stored.position, states={}, events=[], reply=stored)
