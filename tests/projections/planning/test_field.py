"""Custom fields are listed by an index."""

import json

from domain.base import ProjectId
from domain.planning.field import FieldCreated, FieldDeleted, stream_of_field
from domain.work.task.custom_field import FieldType
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning.field import Fields, custom_fields_of
from tests.commands.acme import ACCOUNTS, HERE, OPS
from tests.domain.spec import ACME, ANA, ENG, NOW, OTHER
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, project_all
from tests.spec import Past, on, opened, record


def made(key: str, project: ProjectId = ENG) -> Past:
    created = FieldCreated(
        project_id=project, key=key, name=key, kind=FieldType.TEXT, created_by=ANA, created_at=NOW
    )
    return on(stream_of_field(project, key), created)


async def test_fields_of_a_project_are_listed_by_an_index(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        gone = on(stream_of_field(ENG, "gone"), FieldDeleted(project_id=ENG))
        await record(log, *ACCOUNTS, *HERE, made("b"), made("a"), made("gone"), made("c", OPS))
        await record(log, gone)
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    first = await custom_fields_of(models, ACME, ENG, limit=1)
    rest = await custom_fields_of(models, ACME, ENG, after=first.next_key)

    assert [json.loads(item)["key"] for item in first.items + rest.items] == ["a", "b"]
    assert not (await custom_fields_of(models, OTHER, ENG)).size
    target = await live(store, Fields())
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_project_id_deleted_key" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"
