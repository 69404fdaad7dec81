"""Uses of API keys in SQL."""

from collections.abc import Sequence
from datetime import datetime

from eventstore.operations.records import KeyUsed
from eventstore.operations.sql import KEY_USES, OperationalTables, every, placeholders


class KeyUseTables(OperationalTables):
    """The part of the port about API keys."""

    async def note_key_use(self, key: str, at: datetime) -> None:
        newer = ' WHERE key_uses."used_at" < excluded."used_at"'
        statement = KEY_USES.insert_statement(replace=True) + newer
        row = KEY_USES.row(KeyUsed(id=key, used_at=at))
        await self._write(lambda on: on.execute(statement, row))

    async def key_uses(self, keys: Sequence[str]) -> dict[str, datetime]:
        if not keys:
            return {}
        statement = f'SELECT {KEY_USES.selected} FROM key_uses WHERE "id" IN ({placeholders(keys)})'
        found = await self._read(lambda on: every(KEY_USES, on.execute(statement, keys)))
        return {each.id: each.used_at for each in found}
