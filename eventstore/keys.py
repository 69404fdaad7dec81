"""Data keys of subjects: made, kept wrapped beside the log, cached unwrapped for a while."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from uuid import UUID

from eventstore.codec import Sealer

_CACHE_MAX = 50_000
"""Subjects whose keys stay unwrapped in memory: about 25 MB."""


class KeyWrapper(Protocol):
    """Wraps data keys under the master key; the security floor provides it."""

    def new_key(self) -> bytes: ...
    def wrap(self, key: bytes, subject: UUID, /) -> bytes: ...
    def unwrap(self, wrapped: bytes, subject: UUID, /) -> bytes: ...
    def sealer(self, key: bytes, /) -> Sealer: ...


class SubjectKeys:
    """The sealers of subjects; None stands for a key that was destroyed or never made.

    A destroyed key may still be in this cache: whoever destroys one calls ``forget`` in every
    process, and the cache is bounded.
    """

    def __init__(
        self, wrapper: KeyWrapper, load: Callable[[list[UUID]], Mapping[UUID, bytes | None]]
    ) -> None:
        self._wrapper, self._load = wrapper, load
        self._sealers: OrderedDict[UUID, Sealer | None] = OrderedDict()

    def cached(self, subject: UUID) -> Sealer | None:
        """Return the sealer of *subject* if it is at hand."""
        return self._sealers.get(subject)

    def fetch(self, subjects: Iterable[UUID]) -> None:
        """Bring the keys of *subjects* into the cache with one read for those not yet there."""
        missing = [s for s in dict.fromkeys(subjects) if s not in self._sealers]
        if missing:
            for subject, wrapped in self._load(missing).items():
                self._put(subject, wrapped and self._wrapper.unwrap(wrapped, subject))

    def make(self, subject: UUID) -> tuple[Sealer, bytes]:
        """Return a new sealer for *subject* and its wrapped key, which the append must write.

        Nothing is cached before the append has succeeded: call ``keep`` then.
        """
        key = self._wrapper.new_key()
        return self._wrapper.sealer(key), self._wrapper.wrap(key, subject)

    def keep(self, subject: UUID, sealer: Sealer) -> None:
        """Cache the sealer of a key that is now durable."""
        self._sealers[subject] = sealer
        self._trim()

    def forget(self, subject: UUID) -> None:
        """Drop the key of *subject* from this process."""
        self._sealers.pop(subject, None)

    def _put(self, subject: UUID, key: bytes | None) -> None:
        self._sealers[subject] = self._wrapper.sealer(key) if key else None
        self._trim()

    def _trim(self) -> None:
        while len(self._sealers) > _CACHE_MAX:
            self._sealers.popitem(last=False)
