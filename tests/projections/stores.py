"""Connections to one read store, as several processes have them."""

from collections.abc import Callable

from projections.engine.store import ReadStore


class Opened:
    """Opens connections to one and the same database, and closes them all."""

    def __init__(self, make: Callable[[], ReadStore]) -> None:
        self._make = make
        self._stores: list[ReadStore] = []

    def another(self) -> ReadStore:
        """Return one connection more."""
        store = self._make()
        self._stores.append(store)
        return store

    async def close(self) -> None:
        """Close every connection."""
        for store in self._stores:
            await store.close()
