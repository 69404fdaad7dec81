"""What is planned is refused where its names and days are taken, or its project is archived."""

from typing import Any

import pytest

from tests.api.stage import Person, done, refused

DAYS = {"startsOn": "2026-05-04", "endsOn": "2026-05-15"}
LATER = {"startsOn": "2026-06-01", "endsOn": "2026-06-12"}
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "cycle": ("cycles", {"name": "One", **DAYS}, {"name": "Two", **LATER}),
    "milestone": ("milestones", {"name": "One"}, {"name": "Two"}),
    "field": (
        "fields",
        {"key": "one", "name": "One", "type": "text"},
        {"key": "two", "name": "Two", "type": "text"},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_name_that_another_one_has_is_refused(ana: Person, kind: str) -> None:
    await ana.project()
    many, one, two = KINDS[kind]
    first = done(await ana.post(f"/project/ENG/{many}", one), 201)
    second = done(await ana.post(f"/project/ENG/{many}", two), 201)

    renamed = await ana.patch(f"/{kind}/{second['id']}", {"name": "one"})
    refused(renamed, 409, f"{kind}_name_taken")
    done(await ana.delete(f"/{kind}/{first['id']}"), 204)
    done(await ana.patch(f"/{kind}/{second['id']}", {"name": "One"}), 200)

    restored = await ana.post(f"/{kind}/{first['id']}/restore")
    refused(restored, 409, f"{kind}_name_taken")


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_planned_in_an_archived_project(ana: Person, kind: str) -> None:
    await ana.project()
    many, one, two = KINDS[kind]
    kept = done(await ana.post(f"/project/ENG/{many}", one), 201)
    gone = done(await ana.post(f"/project/ENG/{many}", two), 201)
    done(await ana.delete(f"/{kind}/{gone['id']}"), 204)
    done(await ana.post("/project/ENG/archive"), 200)

    for answer in (
        await ana.post(f"/project/ENG/{many}", two | {"name": "New"}),
        await ana.patch(f"/{kind}/{kept['id']}", {"name": "New"}),
        await ana.delete(f"/{kind}/{kept['id']}"),
        await ana.post(f"/{kind}/{gone['id']}/restore"),
    ):
        refused(answer, 409, "project_archived")


async def test_days_that_another_cycle_has_are_refused(ana: Person) -> None:
    await ana.project()
    one = done(await ana.post("/project/ENG/cycles", {"name": "One", **DAYS}), 201)
    two = done(await ana.post("/project/ENG/cycles", {"name": "Two", **LATER}), 201)

    moved = await ana.patch(f"/cycle/{two['id']}", DAYS)
    refused(moved, 409, "cycles_overlap")
    turned = await ana.patch(f"/cycle/{two['id']}", {"endsOn": "2026-05-31"})
    refused(turned, 422, "cycle_not_valid")
    done(await ana.delete(f"/cycle/{one['id']}"), 204)
    done(await ana.patch(f"/cycle/{two['id']}", DAYS), 200)

    refused(await ana.post(f"/cycle/{one['id']}/restore"), 409, "cycles_overlap")
