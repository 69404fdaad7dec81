"""Used Idempotency-Keys in SQL: written with the events, looked up, and relieved of old replies."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventstore.append import Append, KeptSince, KeyUse, SealedReply, UsedKey
from eventstore.engine.settle import last_position
from eventstore.engine.tables import SqlTables

_SELECT = (
    "SELECT request_hash, command_id, position, used_at, status, version, body, secret"
    " FROM idempotency_keys WHERE part = ? AND key_hash = ?"
)
_INSERT = (
    "INSERT INTO idempotency_keys (part, key_hash, org_id, request_hash, command_id, position,"
    " used_at, status, version, body, secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
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
            request_hash, command_id, position, at, status, version, body, secret = columns
            reply = None
            if body is not None:
                shown_once = None if secret is None else bytes(secret)
                reply = SealedReply(status, version, bytes(body), shown_once)
            return UsedKey(
                request_hash=bytes(request_hash),
                command_id=self._uuid(command_id),
                position=position,
                at=at,
                reply=reply,
            )
        return None

    def drop_replies(self, kept: KeptSince, limit: int, part: int = 0) -> int:
        dropped = self._execute(_DROP_REPLIES, (part, part, kept.replies, limit))
        return dropped + self._execute(_DROP_SECRETS, (part, part, kept.secrets, limit))

    def keys_without_command(self, part: int) -> list[UUID]:
        statement = (
            "SELECT command_id FROM idempotency_keys AS used WHERE part = ? AND position > 0"
            " AND NOT EXISTS (SELECT 1 FROM events WHERE events.part = used.part"
            " AND events.command_id = used.command_id)"
        )
        return [self._uuid(command_id) for (command_id,) in self._query(statement, (part,))]

    def _used_key_write(self, append: Append, use: KeyUse) -> tuple[str, Sequence[Any]]:
        # Without ON CONFLICT: a key that was used meanwhile refuses the whole batch, which is then
        # settled again and more closely.
        reply = use.reply
        replied: tuple[int | bytes | None, ...] = (None, None, None, None)
        if reply is not None:
            replied = (reply.status, reply.version, reply.body, reply.secret)
        place = (self._part(append.org_id), use.key_hash, self._id(append.org_id))
        position = last_position(append, self.parts)
        command = (use.request_hash, self._id(append.command_id), position, use.at)
        return _INSERT, (*place, *command, *replied)
