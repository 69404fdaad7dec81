"""What a plan limits is refused with 402, and a smaller plan takes nothing away."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up

LIMIT = {"what": "projects", "limit": 5, "used": 5, "plan": "FREE", "upgradeTo": "BASIC"}


async def change_plan(person: Person, plan: str) -> None:
    done(await person.patch(f"/org/{person.org_id}/plan", {"plan": plan}), 200)


async def test_one_more_than_the_plan_allows_is_refused_with_what_would_help(ana: Person) -> None:
    for number in range(5):
        done(await ana.post("/project", {"key": f"P{number}", "name": "One of many"}), 201)

    problem = refused(await ana.post("/project", {"key": "P5", "name": "X"}), 402, "plan_limit")

    assert problem.items() >= LIMIT.items()


async def test_a_refusal_counts_no_project_that_may_be_hidden_from_who_is_refused(
    app: Litestar, system: System, ana: Person
) -> None:
    await change_plan(ana, "BASIC")
    for number in range(7):
        body = {"key": f"P{number}", "name": "Secret", "visibility": "PRIVATE"}
        done(await ana.post("/project", body), 201)
    await change_plan(ana, "FREE")
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MANAGER)

    for person, used in ((ana, 7), (ben, 5)):
        one_more = await person.post("/project", {"key": "NEW", "name": "X"})
        assert refused(one_more, 402, "plan_limit")["used"] == used
    await ben.client.aclose()


async def test_after_going_down_a_plan_all_is_usable_and_nothing_can_be_added(ana: Person) -> None:
    await change_plan(ana, "BASIC")
    projects = [await ana.project(f"P{number}") for number in range(7)]
    removed = f"/project/{projects[0]['id']}"
    assert (await ana.delete(removed)).is_success
    await change_plan(ana, "FREE")

    for project in projects[1:]:
        await ana.task(project)
        done(await ana.patch(f"/project/{project['id']}", {"name": "Still mine"}), 200)
    for more in (
        await ana.post("/project", {"key": "NEW", "name": "One more"}),
        await ana.post(f"{removed}/restore", {}),
    ):
        assert refused(more, 402, "plan_limit")["used"] == 6
    for project in projects[1:3]:
        done(await ana.post(f"/project/{project['id']}/archive", {}), 200)
    done(await ana.post("/project", {"key": "NEW", "name": "One more"}), 201)
