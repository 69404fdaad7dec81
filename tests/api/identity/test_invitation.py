"""Invitations over HTTP: sent, listed, resent, revoked and accepted."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from domain.base import OrgId
from eventstore.identifiers import new_id
from mail.letter import Letter, message_of
from mail.mailbox import Mailbox
from runtime.setting import AppEnv, MailAddress, SmtpUrl
from runtime.system import System
from security.mail_tokens import MailPurpose
from tests.api.conftest import Make
from tests.api.stage import (
    DEADLINE_S,
    PASSWORD,
    Json,
    MovableClock,
    Person,
    at_once,
    client_of,
    done,
    log_in,
    refused,
    sign_up,
    unique,
)
from tests.domain.spec import NOW


async def invite(by: Person, email: str, role: str = "MEMBER") -> Json:
    """Invite somebody and return the invitation with its link."""
    body = {"email": email, "role": role}
    invitation: Json = done(await by.post(f"/org/{by.org_id}/invitations", body), 201)
    return invitation


def token_of(invitation: Json) -> str:
    """Return the token in the link of an invitation."""
    return str(invitation["link"]).partition("#")[2]


async def accept_new(app: Litestar, token: str, **about: Any) -> Any:
    """Accept an invitation without an account."""
    body = {"token": token, "name": "Cleo", "password": PASSWORD, **about}
    return await client_of(app).post("/api/invitations/accept", json=body)


def new_address() -> str:
    return f"{unique('i')}@example.com"


async def test_a_colleague_is_invited_joins_works_is_demoted_removed_and_comes_back(
    app: Litestar, ana: Person
) -> None:
    email = new_address()
    sent = await invite(ana, email, "MANAGER")
    token = token_of(sent)
    preview = done(await ana.client.post("/api/invitations/preview", json={"token": token}), 200)
    assert preview == {
        "organization": {"name": "Acme"},
        "email": email,
        "role": "MANAGER",
        "account": False,
    }

    joined = done(await accept_new(app, token), 201)

    client = client_of(app)
    cleo = Person(client, email, joined["user"], await log_in(client, email))
    profile = done(await cleo.get("/auth/profile"), 200)
    assert (profile["role"], profile["organizationId"]) == ("MANAGER", ana.org_id)
    assert profile["emailConfirmed"] is False, "the inviter had the link, too"
    task = await ana.task(await cleo.project())
    assigned = await ana.post(f"/task/{task['id']}/assignees", {"userId": cleo.id})
    assert done(assigned, 200)["assignees"] == [cleo.id]

    member = f"/org/{ana.org_id}/members/{cleo.id}"
    done(await ana.patch(member, {"role": "MEMBER"}), 200)
    refused(await cleo.post("/project", {"key": "OPS", "name": "Ops"}), 403, "not_permitted")
    done(await ana.delete(member), 204)
    refused(await cleo.get("/project"), 409, "no_organization")

    again = token_of(await invite(ana, email))
    back = await cleo.post("/invitations/accept", {"token": again})
    assert done(back, 200)["role"] == "MEMBER"
    assert done(await cleo.get("/auth/profile"), 200)["organizationId"] == ana.org_id


async def test_with_a_mail_server_only_the_mail_has_the_token_and_accepting_proves_the_address(
    make_app: Make, system: System
) -> None:
    app = make_app(smtp_url=SmtpUrl("smtp://127.0.0.1:1"), mail_from=MailAddress("a@example.com"))
    ana = await sign_up(app)
    email = new_address()
    sent = await invite(ana, email)
    assert sent["mailed"] is True
    assert "link" not in sent

    expires_at = datetime.fromisoformat(sent["expiresAt"])
    token = system.keys.mail_tokens.mint(
        MailPurpose.INVITATION, UUID(ana.org_id), UUID(sent["id"]), expires_at
    )
    joined = done(await accept_new(app, token), 201)

    assert joined["user"]["emailConfirmed"] is True


async def test_only_a_development_system_shows_its_mails(
    make_app: Make, system: System, app: Litestar
) -> None:
    kept = new_id()
    letter = Letter(("eve@example.com",), "Hello", "Hi\n")
    Mailbox(system.settings.data_dir).keep(str(kept), message_of(letter, "a@b.c", "e", NOW))
    async with client_of(make_app(app_env=AppEnv.DEVELOPMENT)) as client:
        shown = done(await client.get("/api/dev/mail"), 200)["items"]
        assert done(await client.get(f"/api/dev/mail/{kept}"), 200) in shown
        refused(await client.get(f"/api/dev/mail/{new_id()}"), 404, "not_found")
    async with client_of(app) as client:
        refused(await client.get("/api/dev/mail"), 404, "not_found")
        refused(await client.get(f"/api/dev/mail/{kept}"), 404, "not_found")


async def test_a_member_of_two_organizations_switches_between_them(
    ana: Person, dan: Person
) -> None:
    token = token_of(await invite(ana, dan.email))
    done(await dan.post("/invitations/accept", {"token": token}), 200)
    assert done(await dan.get("/auth/profile"), 200)["role"] == "MEMBER"

    for org_id, role in ((dan.org_id, "ADMIN"), (ana.org_id, "MEMBER")):
        chosen = await dan.post("/auth/switch-organization", {"organizationId": org_id})
        dan.token = done(chosen, 200)["accessToken"]
        profile = done(await dan.get("/auth/profile"), 200)
        assert (profile["organizationId"], profile["role"]) == (org_id, role)
    stranger = await ana.post("/auth/switch-organization", {"organizationId": dan.org_id})
    refused(stranger, 404, "not_found")


async def test_a_member_is_not_invited_again(app: Litestar, ana: Person) -> None:
    email = new_address()
    done(await accept_new(app, token_of(await invite(ana, email))), 201)

    for address in (email, email.upper(), ana.email):
        body = {"email": address, "role": "MEMBER"}
        refused(await ana.post(f"/org/{ana.org_id}/invitations", body), 409, "already_member")
    other = await sign_up(app)
    await invite(other, email)  # who is a stranger there


async def test_an_invitation_cannot_be_used_twice(app: Litestar, ana: Person) -> None:
    token = token_of(await invite(ana, new_address()))

    answers = await at_once(*(accept_new(app, token) for _ in range(5)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201, 409, 409, 409, 409]
    refused(await accept_new(app, token), 409, "invitation_is_over")


async def test_pending_invitations_are_listed_resent_and_revoked(
    app: Litestar, ana: Person
) -> None:
    path = f"/org/{ana.org_id}/invitations"
    first, second = await invite(ana, new_address()), await invite(ana, new_address())
    listed = done(await ana.get(path), 200)["items"]
    assert {one["id"] for one in listed} == {first["id"], second["id"]}
    assert all("link" not in one for one in listed)

    resent = done(await ana.post(f"{path}/{first['id']}/resend"), 200)
    done(await ana.delete(f"{path}/{second['id']}"), 204)

    assert (resent["email"], resent["role"]) == (first["email"], "MEMBER")
    assert [one["id"] for one in done(await ana.get(path), 200)["items"]] == [resent["id"]]
    for over in (first, second):
        refused(await accept_new(app, token_of(over)), 409, "invitation_is_over")
    done(await accept_new(app, token_of(resent)), 201)
    async with asyncio.timeout(DEADLINE_S):  # somebody else's write is read a moment later
        while done(await ana.get(path), 200)["items"]:  # noqa: ASYNC110 - polls the API
            await asyncio.sleep(0.01)


async def test_an_invitation_expires(app: Litestar, ana: Person, clock: MovableClock) -> None:
    token = token_of(await invite(ana, new_address()))

    clock.ahead += timedelta(days=7)

    refused(await accept_new(app, token), 409, "invitation_is_over")


async def test_an_account_accepts_only_what_was_sent_to_its_address(
    app: Litestar, ana: Person, dan: Person
) -> None:
    for_another = token_of(await invite(ana, new_address()))
    for_dan = token_of(await invite(ana, f" {dan.email.upper()}"))

    wrong = await dan.post("/invitations/accept", {"token": for_another})
    refused(wrong, 403, "invited_at_another_address")
    refused(await accept_new(app, for_dan), 409, "email_taken")
    done(await dan.post("/invitations/accept", {"token": for_dan}), 200)


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 86])
async def test_the_response_to_a_made_up_token_reveals_nothing(app: Litestar, token: str) -> None:
    refused(await accept_new(app, token), 409, "invitation_is_over")


async def test_name_and_password_are_needed_for_a_new_account(app: Litestar, ana: Person) -> None:
    token = token_of(await invite(ana, new_address()))

    missing = await client_of(app).post("/api/invitations/accept", json={"token": token})
    problem = refused(missing, 422, "invalid_request")
    assert [error["path"] for error in problem["errors"]] == ["$.name", "$.password"]
    refused(await accept_new(app, token, password="acme-acme-1"), 422, "weak_password")
    done(await accept_new(app, token), 201)


async def test_a_token_is_nowhere_in_the_log(app: Litestar, ana: Person, system: System) -> None:
    token = token_of(await invite(ana, new_address()))
    done(await accept_new(app, token), 201)

    rows = await system.log.organization(OrgId(UUID(ana.org_id)), 0, 100)

    assert rows
    assert [row for row in rows if token.encode() in row.state + (row.private or b"")] == []


async def test_invitations_never_exceed_the_plan_in_a_rush(app: Litestar, ana: Person) -> None:
    path = f"/org/{ana.org_id}/invitations"
    bodies = [{"email": new_address(), "role": "MEMBER"} for _ in range(16)]

    answers = await at_once(*(ana.post(path, body) for body in bodies))

    codes = [answer.status_code for answer in answers]
    assert codes.count(201) == 9, "ten with Ana"
    assert {code for code in codes if code != 201} == {402}


async def test_a_member_of_another_organization_sees_no_invitations(
    app: Litestar, ana: Person, dan: Person
) -> None:
    refused(await dan.get(f"/org/{ana.org_id}/invitations"), 404, "not_found")
    member = await sign_up(app, organization=False)
    refused(await member.get(f"/org/{ana.org_id}/invitations"), 409, "no_organization")
