"""Uses of API keys in memory, for unit tests."""

from collections.abc import Sequence
from datetime import datetime


class MemoryKeyUses:
    """The part of the port about API keys, as a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self._key_uses: dict[str, datetime] = {}

    async def note_key_use(self, key: str, at: datetime) -> None:
        self._key_uses[key] = max(at, self._key_uses.get(key, at))

    async def key_uses(self, keys: Sequence[str]) -> dict[str, datetime]:
        return {key: self._key_uses[key] for key in keys if key in self._key_uses}
