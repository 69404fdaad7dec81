"""Stories of what administrators do about the sessions of members."""

from commands.base import NotPermitted
from commands.identity.member_sessions import EndSessionsOfMember
from domain.base import NotFound
from domain.identity.session.events import RevocationCause, SessionRevoked
from tests.commands.acme import HERE, LAPTOP, PHONE, account, started
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, OTHER
from tests.spec import given, on

ASKED = EndSessionsOfMember(organization_id=ACME, user_id=CLEO)
SESSIONS = (
    *HERE,
    account(CLEO, "Cleo"),
    on(LAPTOP, started(CLEO, organization_id=ACME)),
    on(PHONE, started(CLEO, organization_id=OTHER, place=1)),
)


class TestEndSessionsOfMember:
    def test_those_in_the_organization_end_and_those_elsewhere_go_on(self) -> None:
        over = on(LAPTOP, SessionRevoked(by=ANA, cause=RevocationCause.BY_ADMIN))
        given(*SESSIONS).when(ASKED).then(over)
        given(*SESSIONS, over).when(ASKED).then()

    def test_only_admins_end_them_and_only_those_of_members(self) -> None:
        given(*SESSIONS).when(ASKED, by=BEN).then_refused(NotPermitted)
        stranger = EndSessionsOfMember(organization_id=ACME, user_id=DAN)
        given(*SESSIONS).when(stranger).then_refused(NotFound)
        elsewhere = EndSessionsOfMember(organization_id=OTHER, user_id=CLEO)
        given(*SESSIONS).when(elsewhere).then_refused(NotFound)
