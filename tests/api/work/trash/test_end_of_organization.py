"""A deleted organization is purged in the end: its texts are nowhere, its history stays."""

from datetime import timedelta
from uuid import UUID

from litestar import Litestar

from commands.lint.walk import lint_log
from domain.identity.organization.membership import Role
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.stage import (
    DEADLINE_S,
    MovableClock,
    Person,
    done,
    join,
    log_in,
    refused,
    sign_up,
    unique,
)
from tests.api.work.trash.test_purge import (
    bytes_in,
    empty_write_ahead_log,
    filled_project,
    finish,
    org,
)
from workers.consequences.expiring import purge_expired


async def filled(person: Person, word: str) -> str:
    """Fill the organization of *person* with *word*, in the trash and outside; return its id."""
    path = f"/org/{person.org_id}"
    done(await person.patch(path, {"name": word}), 200)
    project = await filled_project(person, word)
    made = [
        (f"{path}/invitations", {"email": f"{word}@example.com", "role": "MEMBER"}),
        ("/team", {"name": word}),
        ("/webhook", {"url": f"https://example.com/{word}", "events": ["*"]}),
        ("/apikey", {"name": word, "scopes": {"task": ["read"]}}),
        ("/label", {"name": f"{word} II", "color": "#ff0000"}),
        ("/view", {"name": f"{word} II"}),
        ("/template", {"name": f"{word} II", "task": {"title": word}}),
    ]
    ids = [done(await person.post(where, body), 201)["id"] for where, body in made]
    done(await person.delete(f"/apikey/{ids[3]}"), 204)
    done(await person.post("/apikey", {"name": word, "scopes": {"task": ["read"]}}), 201)
    done(await person.delete(f"/label/{ids[4]}"), 204)
    return str(project["id"])


async def test_after_the_days_of_the_plan_its_texts_are_nowhere_and_its_history_stays(
    system: System, read_side: Progress, app: Litestar, ana: Person, clock: MovableClock
) -> None:
    word = unique("canary")
    project = await filled(ana, word)
    subdomain = done(await ana.get(f"/org/{ana.org_id}"), 200)["subdomain"]
    done(await ana.delete(f"/org/{ana.org_id}"), 204)
    clock.ahead = timedelta(days=29)
    await purge_expired(system)
    assert word in repr(await system.log.stream(org(ana), org(ana)))
    clock.ahead = timedelta(days=31)

    assert await purge_expired(system) >= 1
    await finish(system, read_side)

    deleted, *_, purged = [
        each
        for each in await system.log.stream(org(ana), org(ana))
        if each.tag in ("organization.deleted", "organization.purged")
    ]
    assert purged.metadata.causation_id == deleted.id
    rows = await system.log.organization(org(ana), 0, 1_000)
    assert word not in repr(await system.log.decoded(rows))
    ended = {row.stream_id for row in rows if row.tag.endswith(".purged")}
    assert {UUID(project), UUID(ana.org_id)} < ended
    assert len(ended) == 1 + (1 + 3 + 3 + 3 + 6) + 1 + 1 + 2 + 1 + 1 + 1
    for model in PROJECTIONS:
        assert await read_side.reached(model.name, rows[-1].position, DEADLINE_S)
    empty_write_ahead_log(system)
    held = [name for name, found in bytes_in(system.settings.data_dir) if word.encode() in found]
    assert held == []
    assert [str(found) async for found in lint_log(system.log)] == []
    ana.token = await log_in(ana.client, ana.email)
    refused(await ana.post(f"/org/{ana.org_id}/restore"), 404, "not_found")
    again = {"name": "Again", "subdomain": subdomain}
    done(await ana.post("/org", again), 201)


async def test_one_that_was_restored_stays(
    system: System, read_side: Progress, app: Litestar, ana: Person, clock: MovableClock
) -> None:
    word = unique("canary")
    await filled(ana, word)
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.ADMIN)
    done(await ana.delete(f"/org/{ana.org_id}"), 204)
    done(await ana.post(f"/org/{ana.org_id}/restore"), 200)
    clock.ahead = timedelta(days=400)

    await purge_expired(system)
    await finish(system, read_side)

    assert word in repr(await system.log.stream(org(ana), org(ana)))
    ana.token = await log_in(ana.client, ana.email)
    assert done(await ana.get(f"/org/{ana.org_id}"), 200)["name"] == word
    await ben.client.aclose()
