"""The newest signed tree heads, kept in a bucket."""

import logging
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec
import obstore
from obstore.exceptions import BaseError

from audit.kept_heads import HeadsUnavailable, KeptHead, newest_of
from domain.base import OrgId
from eventstore.store import LogIdentity
from eventstore.trees import TreeHead
from runtime.buckets.opening import open_bucket

HEADS_DEADLINE_S = 5.0
"""How long the server may take to answer once."""
_AT_ONCE = 16
"""Requests at the same time, so that many organizations do not wait for each other."""
_LOOKS_MAX = 5
"""How often the heads are listed again because one of them was replaced meanwhile."""
_decode = msgspec.json.Decoder(KeptHead).decode
_encode = msgspec.json.Encoder().encode
_logger = logging.getLogger(__name__)

_Rank = tuple[int, int]


class BucketHeads:
    """One object per head, ``ORGANIZATION/EPOCH-SIZE``; an organization's older ones are removed.

    What could not be written is written with the next heads. An object is never overwritten, so
    that a bucket may forbid that (Amazon S3, "Object Lock").
    """

    def __init__(self, url: str, *, deadline_s: float = HEADS_DEADLINE_S) -> None:
        self._bucket = open_bucket(url, deadline_s)
        self._waiting: dict[OrgId, KeptHead] = {}
        self._written: dict[OrgId, _Rank] = {}
        self._failing = False
        self._lock = Lock()

    def newest(self) -> dict[OrgId, KeptHead]:
        """Return the newest head of each organization.

        :raises HeadsUnavailable: the bucket does not answer.
        """
        with _failures(), ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in range(_LOOKS_MAX):
                there = self._newest_ranks()
                with suppress(FileNotFoundError):  # a newer one has replaced it since it was listed
                    return newest_of(pool.map(self._read, there.items()))
        raise HeadsUnavailable(
            "the bucket of signed tree heads: heads go as soon as they are listed"
        )

    def keep(self, identity: LogIdentity, heads: Sequence[TreeHead]) -> None:
        """Add signed heads; a failure is only logged, as the database has them as well."""
        with self._lock:
            for head in heads:
                self._waiting[head.org_id] = KeptHead.of(identity, head)
            try:
                with _failures(), ThreadPoolExecutor(_AT_ONCE) as pool:
                    for kept in pool.map(self._write, [*self._waiting.values()]):
                        del self._waiting[kept.org]
            except HeadsUnavailable:
                if not self._failing:
                    _logger.exception("signed tree heads cannot be kept; they are tried again")
                self._failing = True
            else:
                self._failing = False

    def forget(self) -> None:
        """Remove all heads, after an operator has accepted the loss of the events they cover.

        :raises HeadsUnavailable: the bucket does not answer.
        """
        with self._lock, _failures():
            self._waiting.clear()
            for path in [*self.paths()]:
                obstore.delete(self._bucket, path)

    def _write(self, head: KeptHead) -> KeptHead:
        before = self._written.get(head.org)
        if before is None or before < head.rank:
            obstore.put(self._bucket, _path(head.org, head.rank), _encode(head))
            self._written[head.org] = head.rank
            if before is not None:
                obstore.delete(self._bucket, _path(head.org, before))
        return head

    def _read(self, at: tuple[OrgId, _Rank]) -> KeptHead:
        return _decode(bytes(obstore.get(self._bucket, _path(*at)).bytes()))

    def _newest_ranks(self) -> dict[OrgId, _Rank]:
        newest: dict[OrgId, _Rank] = {}
        for path in self.paths():
            org_id, rank = _place(path)
            newest[org_id] = max(rank, newest.get(org_id, rank))
        return newest

    def paths(self) -> Iterator[str]:
        """Yield the path of each head that is there."""
        untyped: Any = obstore  # its lists have several types
        for batch in untyped.list(self._bucket):
            yield from (one["path"] for one in batch)


@contextmanager
def _failures() -> Generator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise HeadsUnavailable(f"the bucket of signed tree heads: {error}") from error


def _path(org_id: OrgId, rank: _Rank) -> str:
    epoch, size = rank
    return f"{org_id}/{epoch:06}-{size:012}.json"


def _place(path: str) -> tuple[OrgId, _Rank]:
    org, _, name = path.rpartition("/")
    epoch, _, size = name.removesuffix(".json").partition("-")
    return OrgId(UUID(org)), (int(epoch), int(size))
