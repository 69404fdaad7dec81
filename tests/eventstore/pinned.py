"""A store seen through one of its partitions: what a contract for one partition runs on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, Appended, KeptSince, Outcome, Secret
from eventstore.recorded import Row
from eventstore.store import STREAM_MAX, Store, Wrapped
from eventstore.trees import TreeHead


class Pinned:
    """Asks a store about one partition, whatever partition is asked for; the rest passes."""

    def __init__(self, store: Store, part: int) -> None:
        self._store, self._part, self.parts = store, part, 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        outcomes = self._store.commit(appends)
        return [Appended(o.position) if isinstance(o, Appended) else o for o in outcomes]

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        return self._store.tail(after, limit, tags, self._in(part))

    def last_position(self, part: int = 0) -> int:
        return self._store.last_position(self._in(part))

    def organization_heads(self, part: int = 0) -> Any:
        return self._store.organization_heads(self._in(part))

    def stream(
        self, stream_id: UUID, after: int = 0, part: int = 0, limit: int = STREAM_MAX
    ) -> list[Row]:
        return self._store.stream(stream_id, after, self._in(part), limit)

    def heads(self, streams: Sequence[UUID], part: int = 0) -> dict[UUID, int]:
        return self._store.heads(streams, self._in(part))

    def keys(self, subjects: Sequence[UUID], part: int = 0) -> Any:
        return self._store.keys(subjects, self._in(part))

    def destroy_key(self, subject: UUID, part: int = 0) -> None:
        self._store.destroy_key(subject, self._in(part))

    def secrets(self, owner: UUID, part: int = 0) -> Any:
        return self._store.secrets(owner, self._in(part))

    def put_secret(self, secret: Secret, part: int = 0) -> None:
        self._store.put_secret(secret, self._in(part))

    def wrapped(self, after: Wrapped | None, limit: int, part: int = 0) -> list[Wrapped]:
        return self._store.wrapped(after, limit, self._in(part))

    def wrap_again(self, found: Wrapped, value: bytes, part: int = 0) -> bool:
        return self._store.wrap_again(found, value, self._in(part))

    def used_key(self, key_hash: bytes, part: int = 0) -> Any:
        return self._store.used_key(key_hash, self._in(part))

    def drop_replies(self, kept: KeptSince, limit: int, part: int = 0) -> int:
        return self._store.drop_replies(kept, limit, self._in(part))

    def newest_tree_heads(self, after: OrgId | None, limit: int, part: int = 0) -> list[TreeHead]:
        return self._store.newest_tree_heads(after, limit, self._in(part))

    def _in(self, part: int) -> int:
        if part != 0:
            raise ValueError("as one log of 1 partition")
        return self._part
