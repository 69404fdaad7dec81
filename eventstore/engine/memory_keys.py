"""Data keys and secrets in memory, by partition and subject or owner."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from eventstore.append import Secret
from eventstore.store import Wrapped


class MemoryKeys:
    """What the SQL databases keep in the tables ``subject_keys`` and ``secrets``."""

    def __init__(self) -> None:
        self._keys: dict[tuple[int, UUID], bytes | None] = {}
        self._secrets: dict[tuple[int, UUID], dict[str, bytes]] = {}

    def keys(self, subjects: Sequence[UUID], part: int = 0) -> dict[UUID, bytes | None]:
        return {s: self._keys[part, s] for s in subjects if (part, s) in self._keys}

    def destroy_key(self, subject: UUID, part: int = 0) -> None:
        self._keys[part, subject] = None

    def secrets(self, owner: UUID, part: int = 0) -> Mapping[str, bytes]:
        return dict(self._secrets.get((part, owner), {}))

    def put_secret(self, secret: Secret, part: int = 0) -> None:
        named = self._secrets.setdefault((part, secret.owner), {})
        if secret.sealed is None:
            named.pop(secret.name, None)
        else:
            named[secret.name] = secret.sealed

    def wrapped(self, after: Wrapped | None, limit: int, part: int = 0) -> list[Wrapped]:
        keys = [Wrapped(s, "", k) for (where, s), k in self._keys.items() if k and where == part]
        secrets = [
            Wrapped(owner, name, sealed)
            for (where, owner), named in self._secrets.items()
            for name, sealed in named.items()
            if where == part
        ]
        found = sorted((*keys, *secrets), key=lambda one: one.place)
        return [one for one in found if after is None or one.place > after.place][:limit]

    def wrap_again(self, found: Wrapped, value: bytes, part: int = 0) -> bool:
        place = (part, found.owner)
        if not found.name:
            if self._keys.get(place) != found.value:
                return False
            self._keys[place] = value
            return True
        named = self._secrets.get(place, {})
        if named.get(found.name) != found.value:
            return False
        named[found.name] = value
        return True
