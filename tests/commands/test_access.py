"""Stories of what an organization records about the access of its members."""

import pytest
from msgspec.structs import replace

from commands.access import RecordAuditRead, RecordDeniedAccess
from commands.base import NotPermitted
from commands.identity.session import LogIn
from commands.identity.user import RecordFailedLogin
from domain.access import (
    READ_EVERY,
    AccessDenied,
    AuditRead,
    LoggedIn,
    LoginRefused,
    NewNetworkUsed,
    access_record,
)
from domain.base import UserId
from domain.identity.organization.membership import MemberDeactivated
from domain.identity.user.events import HomeOrganizationChanged, LoginFailed, NewNetworkSeen
from tests.commands.acme import HERE, LAPTOP, account, started
from tests.domain.spec import ACME, ANA, BEN, DAN, NOW
from tests.spec import given, on

ACCOUNTS = (account(ANA, "Ana"), account(DAN, "Dan"))
AT_HOME = on(ANA, HomeOrganizationChanged(organization_id=ACME))
ANAS_RECORD = access_record(ACME, ANA)
read_audit = RecordAuditRead()
denied = RecordDeniedAccess(missing="audit:read", count=3)


def log_in(user: UserId) -> LogIn:
    return LogIn(session_id=LAPTOP, user_id=user, nonce="n", credentials=0)


class TestLoggingIn:
    def test_the_organization_of_the_session_learns_of_a_login(self) -> None:
        story = given(*HERE, *ACCOUNTS, AT_HOME).when(log_in(ANA), by=ANA)

        story.then(
            on(LAPTOP, started(ANA, organization_id=ACME)),
            on(ANAS_RECORD, LoggedIn(user_id=ANA, session_id=LAPTOP)),
        )

    def test_it_learns_of_a_new_network_too(self) -> None:
        news = NewNetworkSeen(network="192.0.2.0/24", device="curl")
        asked = replace(log_in(ANA), new_network=news)

        given(*HERE, *ACCOUNTS, AT_HOME).when(asked, by=ANA).then(
            on(ANA, news),
            on(LAPTOP, started(ANA, organization_id=ACME)),
            on(
                ANAS_RECORD,
                LoggedIn(user_id=ANA, session_id=LAPTOP),
                NewNetworkUsed(user_id=ANA, session_id=LAPTOP),
            ),
        )

    def test_an_organization_learns_nothing_of_somebody_who_is_no_member(self) -> None:
        given(*HERE, *ACCOUNTS).when(log_in(DAN), by=DAN).then(on(LAPTOP, started(DAN)))

    def test_nor_of_a_suspended_one(self) -> None:
        suspended = on(ACME, MemberDeactivated(user_id=BEN))
        past = (*HERE, account(BEN, "Ben"), suspended)
        given(*past).when(log_in(BEN), by=BEN).then(on(LAPTOP, started(BEN)))

    def test_the_organization_learns_of_failed_logins(self) -> None:
        failed = RecordFailedLogin(user_id=ANA, count=3)
        given(*HERE, *ACCOUNTS).when(failed, by=ANA).then(
            on(ANA, LoginFailed(count=3)), on(ANAS_RECORD, LoginRefused(user_id=ANA, count=3))
        )


class TestRecordDeniedAccess:
    def test_refusals_are_recorded_with_their_count(self) -> None:
        event = AccessDenied(user_id=BEN, needs="audit:read", count=3)
        given(*HERE).when(denied, by=BEN).then(on(access_record(ACME, BEN), event))

    def test_those_of_strangers_are_not(self) -> None:
        given(*HERE).when(denied, by=DAN).then()


class TestRecordAuditRead:
    def test_reading_is_recorded_once_an_hour(self) -> None:
        event = AuditRead(user_id=ANA, at=NOW)
        given(*HERE).when(read_audit, by=ANA).then(on(ANAS_RECORD, event))
        again = AuditRead(user_id=ANA, at=NOW - READ_EVERY)
        given(*HERE, on(ANAS_RECORD, event)).when(read_audit, by=ANA).then()
        given(*HERE, on(ANAS_RECORD, again)).when(read_audit, by=ANA).then(event)

    @pytest.mark.parametrize("by", [BEN])
    def test_whoever_may_not_read_is_refused(self, by: UserId) -> None:
        given(*HERE).when(read_audit, by=by).then_refused(NotPermitted)
