"""Refusals by rules that need some preparation, as clients get them."""

from datetime import timedelta
from uuid import UUID

import pytest
from litestar import Litestar

from domain.base import OrgId, ProjectId, TaskId, UserId
from domain.identity.organization.membership import MemberJoined, Role
from domain.work.task.events import Priority, TaskAssigned, TaskCreated, TaskStatus
from domain.work.task.state import ASSIGNEES_MAX
from domain.work.workflow.events import StatusGroup
from eventstore.identifiers import new_id
from eventstore.mode import LogMode
from runtime.system import System
from tests.api.identity.test_invitation import accept_new, invite, new_address, token_of
from tests.api.identity.test_totp import set_up
from tests.api.stage import Json, MovableClock, Person, done, join, refused, sign_up, unique
from tests.domain.spec import NOW
from tests.spec import Past, on, record

TASKS_MAX = 1_000
HOOK = {"url": "https://hooks.example.com/", "events": ["task.*"]}


async def member(app: Litestar, system: System, of: Person, role: Role) -> Person:
    """Sign up somebody who works with *of*."""
    person = await sign_up(app)
    await join(system, person, of.org_id, role)
    return person


async def test_a_manager_does_nothing_about_admins(
    app: Litestar, system: System, ana: Person
) -> None:
    mia = await member(app, system, ana, Role.MANAGER)
    invitations = f"/org/{ana.org_id}/invitations"
    admin = await invite(ana, new_address(), "ADMIN")

    for answer in (
        await mia.post(invitations, {"email": new_address(), "role": "ADMIN"}),
        await mia.post(f"{invitations}/{admin['id']}/resend"),
        await mia.delete(f"{invitations}/{admin['id']}"),
        await mia.delete(f"/org/{ana.org_id}/members/{ana.id}"),
    ):
        refused(answer, 403, "role_too_low")


async def test_tasks_of_an_archived_project_can_only_be_deleted_and_restored(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    path = f"/task/{task['id']}"
    done(await ana.post(f"{path}/assignees", {"userId": ana.id}), 200)
    done(await ana.post(f"/project/{project['id']}/hold"), 200)
    done(await ana.post(f"/project/{project['id']}/archive"), 200)

    for answer in (
        await ana.patch(path, {"title": "Other"}),
        await ana.post(f"{path}/status", {"status": "IN_PROGRESS"}),
        await ana.post(f"{path}/assignees", {"userId": ana.id}),
        await ana.delete(f"{path}/assignees/{ana.id}"),
        await ana.post(f"/project/{project['id']}/resume"),
    ):
        refused(answer, 409, "project_archived")
    done(await ana.delete(path), 204)
    done(await ana.post(f"{path}/restore"), 200)


async def test_a_status_is_changed_by_its_rules_whatever_the_route(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    await ana.task(project, parentId=task["id"])
    path = f"/task/{task['id']}"

    refused(await ana.patch(path, {"status": "IN_REVIEW"}), 409, "transition_not_allowed")
    done(await ana.patch(path, {"status": "IN_PROGRESS"}), 200)
    refused(await ana.patch(path, {"status": "DONE"}), 409, "open_subtasks")
    done(await ana.post(f"/project/{project['id']}/hold"), 200)
    refused(await ana.patch(path, {"status": "IN_REVIEW"}), 409, "project_on_hold")
    refused(await ana.post(f"{path}/status", {"status": "IN_REVIEW"}), 409, "project_on_hold")


async def test_a_webhook_cannot_be_changed_to_events_that_do_not_exist(ana: Person) -> None:
    webhook = done(await ana.post("/webhook", HOOK), 201)

    answer = await ana.patch(f"/webhook/{webhook['id']}", {"events": ["nope"]})

    refused(answer, 422, "subscription_not_allowed")


async def test_an_organization_needs_a_free_and_allowed_subdomain(ana: Person) -> None:
    reserved = {"name": "Acme", "subdomain": "admin"}
    account = {"email": f"{unique()}@example.com", "password": "granite-lantern-7-sky"}
    mine = done(await ana.get("/user/me"), 200)["organization"]["subdomain"]

    answer = await ana.client.post(
        "/api/auth/register", json={**account, "name": "Pat", "organization": reserved}
    )
    refused(answer, 422, "subdomain_not_allowed")
    taken = {"name": "Other", "subdomain": mine}
    refused(await ana.post("/org", taken), 409, "subdomain_taken")
    done(await ana.delete(f"/org/{ana.org_id}"), 204)
    refused(await ana.post("/org", taken), 409, "subdomain_taken")  # so it can be restored
    done(await ana.post(f"/org/{ana.org_id}/restore"), 200)


async def test_nobody_becomes_a_member_twice(app: Litestar, system: System, ana: Person) -> None:
    late = await sign_up(app)
    invited = await invite(ana, late.email)
    await join(system, late, ana.org_id, Role.MEMBER)

    answer = await late.post("/invitations/accept", {"token": token_of(invited)})

    refused(answer, 409, "already_member")


async def test_an_invitation_is_accepted_with_a_token_that_holds_or_none(
    app: Litestar, ana: Person, dan: Person, clock: MovableClock
) -> None:
    token = {"token": token_of(await invite(ana, dan.email))}

    dan.token, good = "not.a.token", dan.token
    refused(await dan.post("/invitations/accept", token), 401, "unauthorized")
    clock.ahead = timedelta(hours=1)
    dan.token = good
    refused(await dan.post("/invitations/accept", token), 401, "token_expired")


async def test_a_smaller_plan_lets_nobody_in(app: Litestar, ana: Person) -> None:
    await change_plan(ana, "BASIC")
    invited = [await invite(ana, new_address()) for _ in range(11)]
    await change_plan(ana, "FREE")

    resend = f"/org/{ana.org_id}/invitations/{invited[0]['id']}/resend"
    refused(await ana.post(resend), 402, "plan_limit")
    refused(await accept_new(app, token_of(invited[0])), 402, "plan_limit")


async def test_tasks_and_webhooks_are_limited_by_the_plan(system: System, ana: Person) -> None:
    project = await ana.project()
    first = await ana.task(project)
    tasks, trash = f"/project/{project['id']}/tasks", f"/task/{first['id']}"
    done(await ana.delete(trash), 204)
    many = [created(project, ana, number) for number in range(2, TASKS_MAX + 2)]
    await record(system.log, *many)
    hooks = [done(await ana.post("/webhook", HOOK), 201) for _ in range(2)]

    refused(await ana.post(tasks, {"title": "One more"}), 402, "plan_limit")
    refused(await ana.post(f"{trash}/restore"), 402, "plan_limit")
    refused(await ana.post("/webhook", HOOK), 402, "plan_limit")
    done(await ana.delete(f"/webhook/{hooks[0]['id']}"), 204)
    done(await ana.post("/webhook", HOOK), 201)
    refused(await ana.post(f"/webhook/{hooks[0]['id']}/restore"), 402, "plan_limit")


async def test_a_task_has_few_assignees(app: Litestar, system: System, ana: Person) -> None:
    await change_plan(ana, "PREMIUM")
    task, org_id = await ana.task(await ana.project()), org_of(ana)
    people = [UserId(new_id()) for _ in range(ASSIGNEES_MAX)]
    joined = [MemberJoined(user_id=each, role=Role.MEMBER) for each in people]
    assigned = [TaskAssigned(user_id=each) for each in people]
    await record(system.log, on(org_id, *joined, org_id=org_id))
    await record(system.log, on(TaskId(UUID(task["id"])), *assigned, org_id=org_id))

    answer = await ana.post(f"/task/{task['id']}/assignees", {"userId": ana.id})

    refused(answer, 409, "too_many_assignees")


@pytest.mark.parametrize(
    ("mode", "code"),
    [(LogMode.READ_ONLY, "read_only"), (LogMode.CONTRADICTED, "log_contradicted")],
)
async def test_a_log_that_takes_no_commands_says_why(
    system: System, ana: Person, mode: LogMode, code: str
) -> None:
    system.log.store.set_mode(mode)
    try:
        refused(await ana.post("/project", {"key": "ENG", "name": "Engine"}), 503, code)
    finally:
        system.log.store.set_mode(LogMode.OPEN)


async def test_codes_need_a_second_factor_and_have_to_be_right(
    ana: Person, clock: MovableClock
) -> None:
    asked = ("/auth/reauthenticate", "/auth/totp/recovery-codes")

    for path in asked:
        refused(await ana.post(path, {"code": "123456"}), 409, "totp_not_enabled")
    phone = await set_up(ana, clock)
    for path in asked:
        refused(await ana.post(path, {"code": "000000"}), 401, "wrong_code")
    again = await ana.post("/auth/totp/confirm", {"code": phone.code()})
    refused(again, 409, "totp_already_enabled")


async def change_plan(person: Person, plan: str) -> None:
    done(await person.patch(f"/org/{person.org_id}/plan", {"plan": plan}), 200)


def org_of(person: Person) -> OrgId:
    return OrgId(UUID(person.org_id))


def created(project: Json, by: Person, number: int) -> Past:
    """Return the past of one more task in *project*."""
    event = TaskCreated(
        project_id=ProjectId(UUID(project["id"])),
        project_key=project["key"],
        number=number,
        title="One of many",
        status=TaskStatus.TODO,
        group=StatusGroup.TODO,
        priority=Priority.LOW,
        created_by=UserId(UUID(by.id)),
        created_at=NOW,
    )
    return on(TaskId(new_id()), event, org_id=org_of(by))
