"""Stories of the legal hold of an organization."""

from datetime import timedelta

from commands.base import NotPermitted
from commands.identity.organization import LiftLegalHold, PlaceLegalHold
from domain.base import NotFound
from domain.identity.organization.events import OrganizationDeleted, PlanChanged
from domain.identity.organization.legal_hold import LegalHoldLifted, LegalHoldPlaced
from domain.identity.plan import Plan, PlanLimitReached
from domain.identity.session.errors import ReauthenticationRequired
from tests.commands.acme import HERE, LAPTOP, started
from tests.domain.spec import ACME, ANA, BEN, NOW
from tests.spec import given, on

place = PlaceLegalHold(organization_id=ACME, reason="Acme v. Apex")
lift = LiftLegalHold(organization_id=ACME)
PREMIUM = (*HERE, on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM)))
PLACED = LegalHoldPlaced(reason="Acme v. Apex")


class TestPlaceLegalHold:
    def test_an_admin_places_it_and_changes_its_reason(self) -> None:
        given(*PREMIUM).when(place).then(on(ACME, PLACED))
        given(*PREMIUM, on(ACME, PLACED)).when(place).then()
        other = PlaceLegalHold(organization_id=ACME, reason="Appeal")
        given(*PREMIUM, on(ACME, PLACED)).when(other).then(LegalHoldPlaced(reason="Appeal"))
        given(*PREMIUM).when(place, by=BEN).then_refused(NotPermitted)

    def test_the_largest_plan_has_it(self) -> None:
        given(*HERE).when(place).then_refused(PlanLimitReached, what="legal_hold")

    def test_a_deleted_organization_has_none(self) -> None:
        given(*PREMIUM, on(ACME, OrganizationDeleted())).when(place).then_refused(NotFound)

    def test_it_needs_a_fresh_proof(self) -> None:
        past = (*PREMIUM, on(LAPTOP, started(ANA, organization_id=ACME)))
        late = NOW + timedelta(minutes=11)
        given(*past).when(place, session_id=LAPTOP, now=late).then_refused(ReauthenticationRequired)


class TestLiftLegalHold:
    def test_it_is_lifted_once_also_under_a_smaller_plan(self) -> None:
        held = (*HERE, on(ACME, PLACED))
        given(*held).when(lift).then(on(ACME, LegalHoldLifted()))
        given(*held, on(ACME, LegalHoldLifted())).when(lift).then()
