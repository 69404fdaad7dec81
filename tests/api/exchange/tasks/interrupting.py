"""Imports whose process ended."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from litestar import Litestar

from api.exchange.tasks.progress import (
    ImportJournal,
    done_of,
)
from api.exchange.tasks.run import Item
from api.http.request import ApiRequest
from eventstore.identifiers import new_id
from eventstore.operations.records import ImportProgress
from tests.api.stage import Json, Person, done


def requests_of(app: Litestar) -> type[ApiRequest]:
    assert issubclass(app.request_class, ApiRequest)
    return app.request_class


def running(at: datetime, **about: Any) -> ImportProgress:
    return ImportProgress(
        id=new_id().hex,
        org="o",
        project="p",
        correlation_id="c",
        lines=9,
        started_at=at,
        updated_at=at,
        **about,
    )


async def interrupted(
    app: Litestar, ana: Person, path: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> Json:
    """Return an import whose process ended after 100 lines, of which one may wait for a parent."""
    add, reached = ImportJournal.add, asyncio.Event()

    async def add_and_hang(self: ImportJournal, items: list[Item]) -> None:
        await add(self, items)
        if done_of(self.progress) >= 99:
            reached.set()
            await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(ImportJournal, "add", add_and_hang)
        begun = done(await ana.ask("POST", path, content=body), 202)
        await asyncio.wait_for(reached.wait(), 30)
        await requests_of(app).api.background.close()
    ended: Json = done(await ana.get(f"/import/{begun['importId']}"), 200)
    assert (ended["state"], ended["code"]) == ("RUNNING", None)
    assert ended["done"] in (99, 100)
    return ended
