"""The log in memory, on the library's own in-memory recorder: for unit stories and dry runs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from domain.base import OrgId
from eventstore.append import Append, Outcome, Secret, StoredReply
from eventstore.identifiers import new_id
from eventstore.plain import insert_plain
from eventstore.recorded import Row
from eventstore.settle import Heads, settle, streams_to_look_up
from eventstore.store import LogIdentity, TreeHead, check_part


class MemoryStore(POPOApplicationRecorder):
    """As much of an event database as fits in one process; nothing outlives it."""

    inline = True
    parts = 1

    def __init__(self) -> None:
        super().__init__()
        self._identity = LogIdentity(new_id(), 1)
        self._rows: list[Row] = []
        self._streams: dict[UUID, list[Row]] = {}
        self._organizations: dict[OrgId, list[Row]] = {}
        self._commands: dict[UUID, int] = {}
        self._keys: dict[UUID, bytes | None] = {}
        self._secrets: dict[UUID, dict[str, bytes]] = {}
        self._replies: dict[bytes, StoredReply] = {}
        self._tree_heads: dict[OrgId, dict[int, TreeHead]] = {}

    def create(self) -> None:
        """Nothing to create."""

    def identity(self) -> LogIdentity:
        return self._identity

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        with self._database_lock:
            heads = Heads(
                self.heads(streams_to_look_up(appends, every=True)),
                {org_id: len(rows) for org_id, rows in self._organizations.items()},
                len(self._rows),
            )
            settled = settle(appends, heads, done=self._commands, held_keys=set(self._keys))
            for append in settled.admitted:
                self._admit(append)
            return settled.outcomes

    def _admit(self, append: Append) -> None:
        stored = [StoredEvent(r.stream_id, r.version, r.tag, r.state) for r in append.rows]
        self._insert_events(stored)  # refuses a version that is taken
        for row in append.rows:
            self._rows.append(row)
            self._streams.setdefault(row.stream_id, []).append(row)
            self._organizations.setdefault(row.org_id, []).append(row)
            if row.command_id:
                self._commands[row.command_id] = row.position
        self._keys.update(append.keys)
        for secret in append.secrets:
            self.put_secret(secret)
        if append.reply and append.reply_key:
            position = append.rows[-1].position if append.rows else append.reply.position
            reply = append.reply
            self._replies.setdefault(
                append.reply_key,
                StoredReply(reply.request_hash, reply.status, reply.body, reply.etag, position),
            )

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        positions = insert_plain(self, stored_events)
        self._notify_listeners()
        return positions

    def stream(self, stream_id: UUID, after: int = 0) -> list[Row]:
        return [row for row in self._streams.get(stream_id, ()) if row.version > after]

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        check_part(part, self.parts)
        found = (row for row in self._rows[after:] if not tags or row.tag in tags)
        return [row for row, _ in zip(found, range(limit), strict=False)]

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        return self._organizations.get(org_id, [])[after : after + limit]

    def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        rows = self._organizations.get(org_id, [])[: max(before - 1, 0)]
        return rows[::-1][:limit]

    def heads(self, streams: Sequence[UUID]) -> dict[UUID, int]:
        return {s: self._streams[s][-1].version for s in streams if s in self._streams}

    def organization_heads(self) -> dict[OrgId, int]:
        return {org_id: len(rows) for org_id, rows in self._organizations.items()}

    def last_position(self, part: int = 0) -> int:
        check_part(part, self.parts)
        return len(self._rows)

    def keys(self, subjects: Sequence[UUID]) -> dict[UUID, bytes | None]:
        return {s: self._keys[s] for s in subjects if s in self._keys}

    def destroy_key(self, subject: UUID) -> None:
        self._keys[subject] = None

    def secrets(self, owner: UUID) -> Mapping[str, bytes]:
        return dict(self._secrets.get(owner, {}))

    def put_secret(self, secret: Secret) -> None:
        named = self._secrets.setdefault(secret.owner, {})
        if secret.sealed is None:
            named.pop(secret.name, None)
        else:
            named[secret.name] = secret.sealed

    def reply(self, key: bytes) -> StoredReply | None:
        return self._replies.get(key)

    def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        heads = self._tree_heads.get(org_id, {})
        return [heads[size] for size in sorted(heads) if size >= since]

    def newest_tree_head(self, org_id: OrgId, size_max: int) -> TreeHead | None:
        heads = self._tree_heads.get(org_id, {})
        newest = max((size for size in heads if size <= size_max), default=None)
        return None if newest is None else heads[newest]

    def put_tree_head(self, head: TreeHead) -> None:
        self._tree_heads.setdefault(head.org_id, {}).setdefault(head.size, head)

    def close(self) -> None:
        """Nothing to close."""
