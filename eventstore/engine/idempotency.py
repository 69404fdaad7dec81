"""Used Idempotency-Keys in SQL: written with the events, looked up, and relieved of old replies."""

from typing import Any
from uuid import UUID

from eventstore.append import Append, KeptSince, KeyUse, SealedReply, UsedKey
from eventstore.engine.schema import Insert
from eventstore.engine.settle import last_own_row
from eventstore.engine.tables import SqlTables

_SELECT = (
    "SELECT request_hash, event_id, position, used_at, status, version, body, secret"
    " FROM idempotency_keys WHERE part = ? AND key_hash = ?"
)
# Without ON CONFLICT: a key that was used meanwhile refuses the whole batch, which is then settled
# again and more closely.
USED_KEYS = Insert(
    "idempotency_keys",
    {
        "part": "part",
        "key_hash": "bytes",
        "org_id": "id",
        "request_hash": "bytes",
        "event_id": "id",
        "position": "int",
        "used_at": "int",
        "status": "int",
        "version": "int",
        "body": "bytes",
        "secret": "bytes",
    },
)
_DROP_REPLIES = (
    "UPDATE idempotency_keys SET body = NULL, secret = NULL WHERE part = ? AND key_hash IN"
    " (SELECT key_hash FROM idempotency_keys WHERE part = ? AND body IS NOT NULL AND used_at < ?"
    " ORDER BY used_at LIMIT ?)"
)
_DROP_SECRETS = (
    "UPDATE idempotency_keys SET secret = NULL WHERE part = ? AND key_hash IN"
    " (SELECT key_hash FROM idempotency_keys WHERE part = ? AND secret IS NOT NULL AND used_at < ?"
    " ORDER BY used_at LIMIT ?)"
)


class SqlUsedKeys(SqlTables):
    """Reads and writes of the table of used Idempotency-Keys."""

    def used_key(self, key_hash: bytes, part: int = 0) -> UsedKey | None:
        for columns in self._query(_SELECT, (part, key_hash)):
            request_hash, event_id, position, at, status, version, body, secret = columns
            reply = None
            if body is not None:
                shown_once = None if secret is None else bytes(secret)
                reply = SealedReply(status, version, bytes(body), shown_once)
            return UsedKey(
                request_hash=bytes(request_hash),
                position=position,
                event_id=None if event_id is None else self._uuid(event_id),
                at=at,
                reply=reply,
            )
        return None

    def drop_replies(self, kept: KeptSince, limit: int, part: int = 0) -> int:
        dropped = self._execute(_DROP_REPLIES, (part, part, kept.replies, limit))
        return dropped + self._execute(_DROP_SECRETS, (part, part, kept.secrets, limit))

    def recorded_with_keys(self, part: int) -> dict[int, UUID]:
        statement = (
            "SELECT position, event_id FROM idempotency_keys WHERE part = ? AND position > 0"
        )
        found = self._query(statement, (part,))
        return {position: self._uuid(event_id) for position, event_id in found}

    def _used_key_row(self, append: Append, use: KeyUse) -> tuple[Any, ...]:
        """Return the row of ``USED_KEYS`` that a command writes."""
        reply = use.reply
        replied: tuple[int | bytes | None, ...] = (None, None, None, None)
        if reply is not None:
            replied = (reply.status, reply.version, reply.body, reply.secret)
        place = (self._part(append.org_id), use.key_hash, self._id(append.org_id))
        last = last_own_row(append, self.parts)
        event = (None, 0) if last is None else (self._id(last.id), last.position)
        command = (use.request_hash, *event, use.at)
        return (*place, *command, *replied)
