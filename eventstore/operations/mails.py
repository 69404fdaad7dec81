"""Mails in SQL: the events that have yet to be sent by mail, and who is sending them."""

from collections.abc import Sequence
from datetime import datetime

from eventstore.operations.records import LogCursor, Mail
from eventstore.operations.sql import (
    LOG_CURSORS,
    MAILS,
    OperationalTables,
    Transaction,
    every,
    first,
)
from eventstore.recorded import microseconds


class MailTables(OperationalTables):
    """The part of the port about mails."""

    async def log_cursor(self, cursor: str) -> LogCursor | None:
        statement = f'SELECT {LOG_CURSORS.selected} FROM log_cursors WHERE "id" = ?'
        return await self._read(lambda on: first(LOG_CURSORS, on.execute(statement, (cursor,))))

    async def keep_mails(self, cursor: LogCursor, mails: Sequence[Mail]) -> None:
        # Always in the same order: inserting in different orders could deadlock.
        rows = [MAILS.row(mail) for mail in sorted(mails, key=lambda mail: mail.id)]
        moved = LOG_CURSORS.row(cursor)

        def work(on: Transaction) -> None:
            on.execute(LOG_CURSORS.insert_statement(replace=True), moved)
            if rows:
                on.execute_many(MAILS.insert_statement(replace=False), rows)

        await self._write(work)

    async def take_mail(self, owner: str, lease_s: float, now: datetime) -> Mail | None:
        due = (
            f'SELECT "id" FROM mails WHERE "open" = 1 AND "next_at" <= ? AND {self._free(lease_s)}'
            f' ORDER BY "next_at" LIMIT 1{self.SKIP_LOCKED}'
        )
        take = (
            'UPDATE mails SET "owner" = ?, "fence" = "fence" + 1,'
            f' "until" = {self._until(lease_s)} WHERE "id" IN ({due}) RETURNING {MAILS.selected}'
        )
        values = (owner, microseconds(now))
        look = due.removesuffix(self.SKIP_LOCKED)
        if not await self._read(lambda on: on.execute(look, values[1:])):
            return None  # the usual case, which takes no lock
        return await self._write(lambda on: first(MAILS, on.execute(take, values)))

    async def end_mail(self, mail: Mail) -> bool:
        columns = ("status", "open", "tries", "next_at", "ended_at", "last_error")
        values = [MAILS.value(column, getattr(mail, column)) for column in columns]
        settings = ", ".join(f'"{column}" = ?' for column in columns)
        statement = (
            f'UPDATE mails SET {settings}, "owner" = ?, "until" = NULL'
            ' WHERE "id" = ? AND "owner" = ? AND "fence" = ? RETURNING "id"'
        )
        whose = ("", mail.id, mail.owner, mail.fence)
        return bool(await self._write(lambda on: on.execute(statement, (*values, *whose))))

    async def mails(self, limit: int) -> list[Mail]:
        statement = f'SELECT {MAILS.selected} FROM mails ORDER BY "created_at" DESC, "id" LIMIT ?'
        return await self._read(lambda on: every(MAILS, on.execute(statement, (limit,))))
