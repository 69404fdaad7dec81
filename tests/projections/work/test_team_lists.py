"""Lists of projects and teams leave out what they should, a page at a time."""

import json
from uuid import UUID

from domain.base import ProjectId
from domain.work.project.events import ProjectCreated
from projections.engine.store import ReadStore
from projections.work.project import projects_of
from projections.work.team import teams_of
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG
from tests.projections.engine.test_find import projected
from tests.spec import on


async def test_hidden_projects_are_left_out_on_every_page(store: ReadStore) -> None:
    others = [ProjectId(UUID(int=700 + n)) for n in range(6)]
    made = [
        on(each, ProjectCreated(key=f"P{n}", name="P", created_by=ANA))
        for n, each in enumerate(others)
    ]
    models = await projected(store, *made)
    hidden = frozenset({ENG, *others[:4], ProjectId(UUID(int=999))})

    first = await projects_of(models, ACME, limit=1, hidden=hidden)
    rest = await projects_of(models, ACME, limit=9, after=first.next_key, hidden=hidden)

    assert [json.loads(item)["key"] for item in (*first.items, *rest.items)] == ["P4", "P5"]


async def test_the_teams_of_one_person_are_found(store: ReadStore) -> None:
    models = await projected(store)

    assert (await teams_of(models, ACME, BEN)).items == (await teams_of(models, ACME)).items
    assert (await teams_of(models, ACME, CLEO)).size == 0
