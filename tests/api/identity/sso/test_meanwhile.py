"""What changes in an organization during a login, and after it."""

from uuid import UUID

import pytest

from domain.base import OrgId, UserId
from domain.identity.organization.membership import LeaveCause, MemberDeactivated, MemberLeft
from domain.identity.user.events import UserDeactivated
from runtime.system import System
from tests.api.identity.sso.stage import (
    Browser,
    address,
    configure,
    knows,
)
from tests.api.stage import Person, done, refused
from tests.identity_provider import IdentityProvider
from tests.spec import on, record


async def callback_of(browser: Browser) -> str:
    """Return where the provider sends the browser after an honest login."""
    return browser.provider.log_in(await browser.begin(), "kim")


@pytest.fixture(autouse=True)
def kim(provider: IdentityProvider) -> None:
    """Let Kim have an account at the provider."""
    knows(provider, "kim", address())


class TestChangesMeanwhile:
    async def test_a_login_is_over_when_the_provider_is_removed(
        self, ana: Person, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        done(await ana.delete(f"/org/{ana.org_id}/oidc"), 204)

        refused(await browser.come_back(callback), 409, "sso_login_is_over")
        await configure(ana, browser.provider)
        refused(await browser.come_back(callback), 409, "sso_login_is_over")
        assert "/token" not in browser.provider.asked

    async def test_a_login_is_over_when_the_organization_is_deleted(
        self, ana: Person, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        done(await ana.delete(f"/org/{ana.org_id}"), 204)

        refused(await browser.come_back(callback), 404, "not_found")

    async def test_a_login_is_refused_when_only_passwords_are_accepted(
        self, ana: Person, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        settings = {"loginWays": ["password"]}
        done(await ana.patch(f"/org/{ana.org_id}/settings", settings), 200)

        refused(await browser.come_back(callback), 403, "login_way_not_accepted")

    async def test_a_deactivated_account_stays_out(self, browser: Browser, system: System) -> None:
        kim = await browser.enter("kim")
        await record(system.log, on(UUID(kim["id"]), UserDeactivated()))

        refused(await browser.ask("GET", "/project"), 401, "unauthorized")
        refused(await browser.log_in("kim"), 403, "account_deactivated")

    async def test_sessions_have_no_access_once_the_provider_is_removed(
        self, ana: Person, browser: Browser
    ) -> None:
        await browser.enter("kim")
        done(await browser.ask("GET", "/project"), 200)
        done(await ana.delete(f"/org/{ana.org_id}/oidc"), 204)

        refused(await browser.ask("GET", "/project"), 403, "login_way_not_accepted")
        body = {"key": "NEW", "name": "New"}
        answer = await browser.ask("POST", "/project", json=body)
        refused(answer, 403, "login_way_not_accepted")
        assert (await browser.ask("GET", "/auth/profile")).json()["role"] is None

    async def test_whoever_was_removed_comes_back_by_invitation_only(
        self, ana: Person, browser: Browser, system: System
    ) -> None:
        kim = await browser.enter("kim")
        org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(kim["id"]))
        left = MemberLeft(user_id=user_id, cause=LeaveCause.REMOVED)
        await record(system.log, on(org_id, left, org_id=org_id))

        refused(await browser.ask("GET", "/project"), 409, "no_organization")
        refused(await browser.log_in("kim"), 403, "membership_ended")
        inviting = f"/org/{ana.org_id}/invitations"
        done(await ana.post(inviting, {"email": kim["email"], "role": "MEMBER"}), 201)
        assert (await browser.enter("kim"))["role"] == "MEMBER"

    async def test_whoever_is_suspended_stays_out(
        self, ana: Person, browser: Browser, system: System
    ) -> None:
        kim = await browser.enter("kim")
        org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(kim["id"]))
        await record(system.log, on(org_id, MemberDeactivated(user_id=user_id), org_id=org_id))

        refused(await browser.ask("GET", "/project"), 403, "membership_suspended")
        refused(await browser.log_in("kim"), 403, "membership_suspended")
