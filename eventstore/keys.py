"""Data keys of subjects: made, kept wrapped beside the log, cached unwrapped for a while."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from domain.base import OrgId
from eventstore.codec import Cipher

_CACHE_MAX = 50_000
"""Subjects whose keys stay unwrapped in memory: about 25 MB."""


class KeyWrapper(Protocol):
    """Makes data keys and keeps them wrapped by a master key; the security floor provides it."""

    def make(self, subject: UUID, /) -> tuple[Cipher, bytes]: ...
    def open(self, wrapped: bytes, subject: UUID, /) -> Cipher: ...
    def fingerprint(self, kind: str, value: str, /) -> bytes: ...


class SubjectKeys:
    """The sealers of subjects; None stands for a key that was destroyed or never made.

    A destroyed key may still be in this cache: whoever destroys one calls ``forget`` in every
    process, and the cache is bounded.
    """

    def __init__(
        self,
        wrapper: KeyWrapper,
        load: Callable[[Mapping[UUID, OrgId]], Mapping[UUID, bytes | None]],
    ) -> None:
        self._wrapper, self._load = wrapper, load
        self.fingerprint = wrapper.fingerprint
        """A keyed hash of a personal value, by which it is found again."""
        self._sealers: OrderedDict[UUID, Cipher | None] = OrderedDict()

    def cached(self, subject: UUID) -> Cipher | None:
        """Return the sealer of *subject* if it is at hand."""
        return self._sealers.get(subject)

    def fetch(self, subjects: Mapping[UUID, OrgId]) -> None:
        """Bring the keys of *subjects* into the cache with one read for those not yet there.

        Each is named with the organization that it belongs to.
        """
        missing = {s: owner for s, owner in subjects.items() if s not in self._sealers}
        if missing:
            for subject, wrapped in self._load(missing).items():
                opened = None if wrapped is None else self._wrapper.open(wrapped, subject)
                self._sealers[subject] = opened
            self._trim()

    def make(self, subject: UUID) -> tuple[Cipher, bytes]:
        """Return a new sealer for *subject* and its wrapped key, which the append must write.

        Nothing is cached before the append has succeeded: call ``keep`` then.
        """
        return self._wrapper.make(subject)

    def keep(self, subject: UUID, cipher: Cipher) -> None:
        """Cache the sealer of a key that is now durable."""
        self._sealers[subject] = cipher
        self._trim()

    def forget(self, subject: UUID) -> None:
        """Drop the key of *subject* from this process."""
        self._sealers.pop(subject, None)

    def _trim(self) -> None:
        while len(self._sealers) > _CACHE_MAX:
            self._sealers.popitem(last=False)
