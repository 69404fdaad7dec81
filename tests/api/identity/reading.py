"""What a request reads of the log, by name."""

from typing import Any

import pytest

from eventstore.store import Store

_READS = ("heads", "holders", "keys", "secrets", "stream", "claimed", "counted")


def note_reads(patch: pytest.MonkeyPatch, store: Store) -> list[str]:
    """Return a list that gets the name of every read of *store* from now on."""
    found: list[str] = []

    def noted(name: str, read: Any) -> Any:
        def reading(*args: Any, **kwargs: Any) -> Any:
            found.append(name)
            return read(*args, **kwargs)

        return reading

    for name in _READS:
        patch.setattr(store, name, noted(name, getattr(store, name)))
    return found
