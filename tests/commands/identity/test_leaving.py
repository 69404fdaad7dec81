"""Stories of the sessions and API keys of somebody who left."""

from msgspec.structs import replace

from commands.identity.leaving import EndSessionsOfFormerMember, RevokeKeyOfFormerMember
from domain.base import NotFound, OrgId
from domain.identity.api_key.events import ApiKeyRevoked
from domain.identity.organization.membership import (
    LeaveCause,
    MemberJoined,
    MemberLeft,
    Role,
)
from domain.identity.session.events import RevocationCause, SessionRevoked
from tests.commands.acme import HERE, LAPTOP, PHONE, account, founded, started
from tests.commands.identity.test_api_key import CREATED, KEY
from tests.domain.spec import ACME, BEN, DAN, OTHER
from tests.spec import Past, given, on

LEFT = on(ACME, MemberLeft(user_id=BEN, cause=LeaveCause.REMOVED))
ELSEWHERE = founded(OTHER, "other", ben=(BEN, Role.ADMIN))
end = EndSessionsOfFormerMember(user_id=BEN)
revoked = SessionRevoked(by=None, cause=RevocationCause.LEFT_ORGANIZATION)


def sessions(laptop: OrgId, phone: OrgId) -> tuple[Past, ...]:
    """Return Ben's account with two sessions, each in an organization."""
    in_laptop = replace(started(BEN, organization_id=laptop), place=0)
    in_phone = replace(started(BEN, organization_id=phone), place=1)
    return account(BEN, "Ben"), on(LAPTOP, in_laptop), on(PHONE, in_phone)


class TestEndSessionsOfFormerMember:
    def test_sessions_in_the_organization_end_and_others_go_on(self) -> None:
        here = (*HERE, ELSEWHERE, *sessions(ACME, OTHER), LEFT)
        given(*here).when(end, by=DAN).then(on(LAPTOP, revoked))

    def test_all_of_them_end_at_once(self) -> None:
        here = (*HERE, *sessions(ACME, ACME), LEFT)
        given(*here).when(end).then(on(LAPTOP, revoked), on(PHONE, revoked))
        given(*here, on(LAPTOP, revoked), on(PHONE, revoked)).when(end).then()

    def test_none_ends_of_whoever_came_back(self) -> None:
        back = on(ACME, MemberJoined(user_id=BEN, role=Role.MEMBER))
        given(*HERE, *sessions(ACME, ACME), LEFT, back).when(end).then()


class TestRevokeKeyOfFormerMember:
    revoke = RevokeKeyOfFormerMember(api_key_id=KEY)
    here = (*HERE, account(BEN, "Ben"), on(KEY, replace(CREATED, created_by=BEN)))

    def test_a_key_of_whoever_left_is_revoked_once(self) -> None:
        given(*self.here, LEFT).when(self.revoke, by=DAN).then(ApiKeyRevoked())
        again = given(*self.here, LEFT, on(KEY, ApiKeyRevoked())).when(self.revoke)
        again.then_refused(NotFound)

    def test_a_key_of_whoever_came_back_goes_on(self) -> None:
        back = on(ACME, MemberJoined(user_id=BEN, role=Role.MEMBER))
        given(*self.here, LEFT, back).when(self.revoke).then()

    def test_a_key_that_does_not_exist_is_left_alone(self) -> None:
        given(*HERE, LEFT).when(self.revoke).then()
