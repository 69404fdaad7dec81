"""Stored replies: repeated only to callers who are still authenticated, permitted and see it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from commands.base import AlreadyRan, Command, Context, KeyReused
from commands.reads import Reads
from commands.receipt import Receipt, Render, Response
from commands.recording import Recording
from commands.states import States
from commands.work.trash.things import PURGED
from domain.base import PLATFORM, DomainError
from domain.catalog import tag_of
from eventstore.append import (
    CommandAlreadyDone,
    ConcurrencyConflict,
    KeptSince,
    KeyUse,
    SealedReply,
    UsedKey,
)
from eventstore.codec import Cipher
from eventstore.log import EventLog
from eventstore.recorded import microseconds

LOOKS_MAX = 12
"""How often the permission is checked again if what it depends on changes meanwhile."""

REPLIES_KEPT = timedelta(hours=72)
SECRETS_KEPT = timedelta(minutes=10)
"""How long a reply is repeated, and how long one with its secrets; afterwards neither is stored."""

_Check = Callable[[Reads], Awaitable[None]]

_REPLY, _SECRET = b"reply", b"reply with secrets"
_PURGED = frozenset(map(tag_of, PURGED))


def kept_since(now: datetime) -> KeptSince:
    """Return from when on replies, and those with secrets, are still repeated."""
    return KeptSince(microseconds(now - REPLIES_KEPT), microseconds(now - SECRETS_KEPT))


class StoredReplies:
    """Stores replies with the Idempotency-Keys of commands, and finds them again.

    A reply is sealed under the key of the person who asked, otherwise of the organization: without
    that key, none is stored and none can be read.
    """

    def __init__(self, log: EventLog, states: States) -> None:
        self._log, self._states = log, states

    async def find(self, command: Command, context: Context) -> Receipt | None:
        """Return the stored reply to this request, None if its key is new.

        Called first, and again before anything is refused or found unchanged: the same request may
        have been recorded in between, so that this one sees its own effect.

        :raises KeyReused: the key was used for another request.
        :raises AlreadyRan: it was used for this one, and the reply is not stored any more.
        :raises DomainError: the caller may no longer send this command, or see what it made.
        :raises ConcurrencyConflict: the session or account of the caller changed.
        """
        asked = context.idempotency
        if asked is None:
            return None
        used = await self._log.used_key(asked.key_hash, context.org_id or PLATFORM)
        if used is None:
            return None
        await self._refuse_unless_still_authenticated(context)
        await self._check_on_newest(lambda reads: command.admit(reads, context), command, context)
        if used.request_hash != asked.request_hash:
            raise KeyReused
        made = await self._made(used, context)
        if made is not None:
            await self._check_on_newest(
                lambda reads: command.permit_repeat(reads, context, made), command, context
            )
            if await self._is_purged(made, context):
                raise AlreadyRan(used.position)
        repeated = await self._opened(used, context, asked.key_hash)
        if repeated is None:
            raise AlreadyRan(used.position)
        return Receipt(position=used.position or None, states={}, events=[], repeated=repeated)

    async def instead(
        self, command: Command, context: Context, done: CommandAlreadyDone
    ) -> Receipt | None:
        """Return the reply of the command that was recorded first; None without a key.

        :raises AlreadyRan: there is no reply.
        :raises DomainError: as ``find`` does.
        """
        if context.idempotency is None:
            return None
        found = await self.find(command, context)
        if found is None:
            raise AlreadyRan(done.position)
        return found

    async def add(
        self, recording: Recording, context: Context, render: Render | None, receipt: Receipt
    ) -> None:
        """Add the key of the request, and the reply if there is one, to what is written."""
        asked = context.idempotency
        if asked is None:
            return
        use = KeyUse(
            key_hash=asked.key_hash,
            request_hash=asked.request_hash,
            at=microseconds(context.now),
        )
        recording.append.key_use = use
        cipher = await self._cipher(context)
        if render is None or cipher is None:
            return

        def reply() -> None:
            use.reply = _sealed(render(receipt), cipher, use.key_hash)

        recording.completed = reply
        if not recording.append.numbers:  # or the append fills it in, when it knows the number
            reply()

    async def _cipher(self, context: Context) -> Cipher | None:
        subject: UUID | None = context.person
        owner = PLATFORM
        if subject is None:
            subject = owner = context.org_id or PLATFORM
        if self._log.keys.cached(subject) is None:
            await self._log.fetch_keys({subject: owner})
        return self._log.keys.cached(subject)

    async def _opened(self, used: UsedKey, context: Context, key_hash: bytes) -> Response | None:
        kept, reply, cipher = kept_since(context.now), used.reply, await self._cipher(context)
        if reply is None or cipher is None or used.at <= kept.replies:
            return None
        if reply.secret is not None and used.at > kept.secrets:
            body = cipher.open(reply.secret, _SECRET + key_hash)
        else:
            body = cipher.open(reply.body, _REPLY + key_hash)
        return Response(reply.status, reply.version, body)

    async def _refuse_unless_still_authenticated(self, context: Context) -> None:
        owners = dict.fromkeys(context.seen, context.org_id or PLATFORM)
        heads = await self._log.heads({**owners, **context.seen_of_platform})
        for stream, version in context.seen.items():
            if heads.get(stream, 0) != version:
                raise ConcurrencyConflict(stream)

    async def _made(self, used: UsedKey, context: Context) -> UUID | None:
        """Return the stream of the last event of the command that used a key; None without one."""
        part = self._log.part(context.org_id or PLATFORM)
        after = used.position - 1
        rows = await self._log.tail_rows(after, 1, part=part) if used.position else []
        return rows[0].stream_id if rows else None

    async def _is_purged(self, made: UUID, context: Context) -> bool:
        """Return whether what a reply shows has been purged since; nothing follows on that."""
        owner = context.org_id or PLATFORM
        version = (await self._log.heads({made: owner})).get(made, 0)
        last = await self._log.stream_rows(made, owner, version - 1) if version else []
        return bool(last) and last[-1].tag in _PURGED

    async def _check_on_newest(self, check: _Check, command: Command, context: Context) -> None:
        """Refuse what *check* refuses, based on the newest states."""
        for _ in range(LOOKS_MAX):
            reads = Reads(self._states, context.org_id)
            refusal: DomainError | None = None
            try:
                await check(reads)
            except DomainError as error:
                refusal = error
            if await self._states.refresh(reads.loaded, context.org_id):
                continue  # it was based on outdated states
            if refusal is not None:
                raise refusal
            return
        raise ConcurrencyConflict(command.target or context.organization_or_platform)


def _sealed(response: Response, cipher: Cipher, key_hash: bytes) -> SealedReply:
    secret = None
    if response.secret is not None:
        secret = cipher.seal(response.secret, _SECRET + key_hash)
    body = cipher.seal(response.body, _REPLY + key_hash)
    return SealedReply(response.status, response.version, body, secret)
