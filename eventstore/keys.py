"""Data keys of subjects: stored wrapped next to the log, cached unwrapped in memory."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec import defstruct

from domain.base import PLATFORM, Event, KeyOwner, OrgId
from domain.catalog import EVENT_TYPES, tag_of
from eventstore.codec import Cipher, event_part
from eventstore.recorded import Row

_CACHE_MAX = 50_000
"""Subjects whose keys stay unwrapped in memory: about 25 MB."""


class KeyWrapper(Protocol):
    """Creates data keys and wraps them with a master key; implemented in ``security``."""

    def make(self, subject: UUID, /) -> tuple[Cipher, bytes]: ...
    def open(self, wrapped: bytes, subject: UUID, /) -> Cipher: ...
    def fingerprint(self, kind: str, value: str, /) -> bytes: ...


class SubjectKeys:
    """The ciphers of subjects; None stands for a key that was destroyed or never created.

    A destroyed key may still be in this cache, so every process calls ``forget_all`` soon after one
    was destroyed; the cache is bounded.
    """

    def __init__(
        self,
        wrapper: KeyWrapper,
        load: Callable[[Mapping[UUID, OrgId]], Mapping[UUID, bytes | None]],
    ) -> None:
        self._wrapper, self._load = wrapper, load
        self.fingerprint = wrapper.fingerprint
        """A keyed hash of a personal value, by which it is found again."""
        # By the integers of their ids, because UUIDs are hashed and compared in Python.
        self._ciphers: OrderedDict[int, Cipher | None] = OrderedDict()

    def cached(self, subject: UUID) -> Cipher | None:
        """Return the cipher of *subject* if it is cached."""
        return self._ciphers.get(subject.int)

    def missing(self, subjects: Mapping[UUID, OrgId]) -> dict[UUID, OrgId]:
        """Return those of *subjects* that are not cached, with their owners."""
        return {s: owner for s, owner in subjects.items() if s.int not in self._ciphers}

    def fetch(self, subjects: Mapping[UUID, OrgId]) -> None:
        """Load the keys of *subjects* into the cache, with one read.

        Each subject maps to the organization that it belongs to.
        """
        for subject, wrapped in self._load(subjects).items():
            opened = None if wrapped is None else self._wrapper.open(wrapped, subject)
            self._ciphers[subject.int] = opened
        self._trim()

    def make(self, subject: UUID) -> tuple[Cipher, bytes]:
        """Return a new cipher for *subject* and its wrapped key, which the append must write.

        It is not cached yet: call ``keep`` once the append has succeeded.
        """
        return self._wrapper.make(subject)

    def keep(self, subject: UUID, cipher: Cipher) -> None:
        """Cache the cipher of a key that is now durable."""
        self._ciphers[subject.int] = cipher
        self._trim()

    def forget(self, subject: UUID) -> None:
        """Remove the key of *subject* from the cache."""
        self._ciphers.pop(subject.int, None)

    def forget_all(self) -> None:
        """Empty the cache, because keys were destroyed that may be in it."""
        self._ciphers.clear()

    def _trim(self) -> None:
        while len(self._ciphers) > _CACHE_MAX:
            self._ciphers.popitem(last=False)


class _Elsewhere:
    """How to find the key of an event whose personal values another key than its stream's seals."""

    def __init__(self, kind: type[Event], owner: KeyOwner) -> None:
        self.of = attrgetter(owner.field)
        self.platform = owner.platform
        encoded = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
        stored = defstruct("Stored", [("subject", UUID)], rename={"subject": encoded[owner.field]})
        self.decode = msgspec.json.Decoder(stored).decode


_ELSEWHERE = {
    kind: _Elsewhere(kind, kind.sealed_for)
    for kind in EVENT_TYPES.values()
    if kind.sealed_for is not None
}
_ELSEWHERE_BY_TAG = {tag_of(kind): how for kind, how in _ELSEWHERE.items()}


def key_owner(event: Event, stream: UUID, org_id: OrgId) -> tuple[UUID, OrgId]:
    """Return whose key seals the personal values of *event*, and where that key is kept."""
    how = _ELSEWHERE.get(type(event))
    if how is None:
        return stream, org_id
    return how.of(event), PLATFORM if how.platform else org_id


def key_owner_in(row: Row) -> tuple[UUID, OrgId]:
    """Return what ``key_owner`` does, for a stored event.

    :raises msgspec.MsgspecError: this version cannot read the stored bytes.
    """
    how = _ELSEWHERE_BY_TAG.get(row.tag)
    if how is None:
        return row.stream_id, row.org_id
    stored: Any = how.decode(event_part(row.state))
    return stored.subject, PLATFORM if how.platform else row.org_id
