"""Several databases as one log, each with some of its partitions, for commands in one of them.

A stand-in for an engine that distributes tables: it sends each call to the database that the
partition is in, and knows nothing of commands that write to two.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, Outcome
from eventstore.engine.settle import parts_written
from eventstore.mode import LogMode
from eventstore.partition import partition_of
from eventstore.postgres import DistributedStore
from eventstore.recorded import Row
from eventstore.store import STREAM_MAX, LogIdentity


class ShardedStore:
    """Routes by partition: the first to the first database, the second to the second, and so on."""

    inline = False
    separate = True

    def __init__(self, shards: Sequence[DistributedStore]) -> None:
        self._shards, self.parts = shards, shards[0].parts

    def shard_of(self, part: int) -> int:
        """Return the number of the database that has *part*."""
        return part % len(self._shards)

    def _at(self, part: int) -> DistributedStore:
        return self._shards[self.shard_of(part)]

    def open(self) -> None:
        for shard in self._shards:
            shard.open()

    def identity(self) -> LogIdentity:
        return self._shards[0].identity()

    def mode(self, part: int | None = None) -> LogMode:
        return self._at(part or 0).mode(part or 0)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Send a batch to the one database that it writes to."""
        [shard] = {self.shard_of(part) for part in parts_written(appends, self.parts)}
        return self._shards[shard].commit(appends)

    def stream(
        self, stream_id: UUID, after: int = 0, part: int = 0, limit: int = STREAM_MAX
    ) -> list[Row]:
        return self._at(part).stream(stream_id, after, part, limit)

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        return self._at(part).tail(after, limit, tags, part)

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        return self._at(partition_of(org_id, self.parts)).organization(org_id, after, limit)

    def hang_up(self) -> None:
        for shard in self._shards:
            shard.hang_up()

    def close(self) -> None:
        for shard in self._shards:
            shard.close()

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"{name} of a log on several databases")
