"""Two words that are common but rarely meet are found in full pages, by both engines alike."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import TaskId
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.query import SORT_KEYS_MAX, Query, QueryRefused
from projections.engine.store import ReadStore
from projections.exchange.hits import Sight, hits_of
from projections.exchange.search import SearchedTexts
from projections.exchange.tasks_found import documents_with
from projections.exchange.words import asked_words
from tests.commands.acme import ACCOUNTS, HERE, OPS, task
from tests.domain.spec import ACME, ENG
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.exchange.test_search import ALL, ENG_ONLY, UNLISTED, whole
from tests.projections.spec import live, models_of, project_all
from tests.spec import on, opened, record

TASKS = 60
BOTH = (7, 8, 9, 30, 47)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a query compare four rows, read six sort keys, and look at two."""
    for module in ("query", "sqlite.pages", "mongo.store"):
        monkeypatch.setattr(f"projections.engine.{module}.RESIDUAL_ROWS_MAX", 4)
    monkeypatch.setattr("projections.exchange.search.SORT_KEYS_MAX", 6)
    monkeypatch.setattr("projections.exchange.search.AT_MAX", 2)
    monkeypatch.setattr("projections.exchange.search.FEW_MAX", 3)


async def written(log: EventLog) -> None:
    """Write tasks, of which half say *oil*, the others *gear*, and some say both."""
    await record(log, *ACCOUNTS, *HERE)
    for number in range(1, TASKS):
        project, key = (OPS, "OPS") if number in (8, 30) else (ENG, "ENG")
        title = "oil gear" if number in BOTH else ("oil" if number % 2 else "gear")
        made = replace(task(100 + number, project=project, key=key), title=f"{title} {number}")
        await record(log, on(TaskId(UUID(int=80_000 + number)), made))


def ids(*numbers: int) -> list[str]:
    return [str(UUID(int=80_000 + number)) for number in numbers]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
async def test_a_page_with_a_next_one_is_full(store: ReadStore, limit: int) -> None:
    async with opened(MemoryStore()) as log:
        await written(log)
        await project_all(log, store)
    models = models_of(store)

    for query in ("oil gear", "gear oil"):
        assert await whole(models, query, ALL, limit) == ids(*reversed(BOTH))
        assert await whole(models, query, ENG_ONLY, limit) == ids(47, 9, 7)
    found = await documents_with(models, ACME, asked_words("gear oil"), {})
    assert sorted(each.rpartition(":")[2] for each in found) == ids(*BOTH)


async def test_a_page_is_full_behind_however_many_texts_that_somebody_does_not_see(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.exchange.hits._AT_ONCE", 1)
    monkeypatch.setattr("projections.engine.find.FILLING_MAX_S", 60.0)
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        for number in range(1, 130):
            project, key = (ENG, "ENG") if number < 4 else (OPS, "OPS")
            made = replace(task(100 + number, project=project, key=key), title="grease")
            await record(log, on(TaskId(UUID(int=80_000 + number)), made))
        await project_all(log, store)

    assert await whole(models_of(store), "grease", UNLISTED, 2) == ids(3, 2, 1)


@pytest.mark.usefixtures("small_pages")
async def test_the_index_tells_which_texts_have_both(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await written(log)
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    await hits_of(models, ACME, asked_words("oil gear"), ALL, 50)

    bare = [query for query in models.queries if query.bare]
    looked: Sequence[Query] = [query for query in models.queries if query.at is not None]
    assert len(bare) > 4
    assert sum(len(query.at or ()) for query in looked) <= len(BOTH)
    target = await live(store, SearchedTexts())
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_terms_seq" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"


async def test_keys_alone_are_those_of_one_text(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await written(log)
        await project_all(log, store)
    models, sight = models_of(store), Sight({}, frozenset())
    (asked := Asked(store, Progress(store), PROJECTIONS)).queries = []
    await hits_of(asked, ACME, asked_words("gear"), sight, 10)
    query = replace(asked.queries[0], bare=True, limit=SORT_KEYS_MAX)

    [page] = await models.pages(query)
    [short] = await models.pages(replace(query, limit=4, above=page.keys[-1]))
    [rest] = await models.pages(replace(query, limit=9, below=page.keys[3], descending=True))
    [chosen] = await models.pages(
        replace(query, bare=False, limit=9, at=[*page.keys[4:2:-1], 1], keyed=True)
    )

    assert (page.size, page.next_key, page.json) == (len(page.keys), None, b"")
    assert [*page.keys] == sorted(page.keys, reverse=True)
    assert ([*short.keys], short.next_key) == ([*page.keys[:4]], page.keys[3])
    assert [*rest.keys] == [*page.keys[4:13]]
    assert ([*chosen.keys], chosen.next_key) == ([*page.keys[3:5]], None)
    for refused in (
        replace(query, limit=SORT_KEYS_MAX + 1),
        replace(query, contains=("terms", ["gear", "oil"])),
        replace(query, holding=[("terms", ["oil"])]),
        replace(query, bare=False, limit=1, at=[]),
        replace(query, bare=False, limit=1, at=[*range(501)]),
    ):
        with pytest.raises(QueryRefused):
            await models.pages(refused)
