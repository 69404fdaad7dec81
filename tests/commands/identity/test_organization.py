"""Stories of the commands on organizations and their members."""

from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.identity.organization import (
    ChangePlan,
    CreateOrganization,
    DeleteOrganization,
    EditMember,
    EditOrganization,
    RemoveMember,
    RestoreOrganization,
)
from domain.base import NotFound, OrgId
from domain.claim import SUBDOMAIN_KEPT, SubdomainTaken
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationRenamed,
    OrganizationRestored,
    PlanChanged,
    SubdomainChanged,
)
from domain.identity.organization.membership import (
    LastAdmin,
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MemberReactivated,
    MemberRoleChanged,
    Role,
    RoleTooLow,
)
from domain.identity.plan import Plan
from domain.identity.session.events import SessionSwitchedOrganization
from domain.identity.subdomain import SubdomainNotAllowed
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.events import HomeOrganizationChanged, UserDeactivated
from tests.commands.acme import ACCOUNTS, LAPTOP, STRANGERS, TEAM, account, founded, started
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, NOW, OTHER
from tests.spec import given, on

STAFF = (TEAM, *ACCOUNTS)
NEW = OrgId(UUID(int=13))
DELETED = on(ACME, OrganizationDeleted())
BEN_ADMIN = on(ACME, MemberRoleChanged(user_id=BEN, from_=Role.MANAGER, to=Role.ADMIN))


def create(**about: Any) -> CreateOrganization:
    details: dict[str, Any] = {"organization_id": NEW, "name": "New", "subdomain": "new"}
    return CreateOrganization(**(details | about))


def home(org_id: OrgId) -> HomeOrganizationChanged:
    return HomeOrganizationChanged(organization_id=org_id)


class TestCreateOrganization:
    def test_creating_an_organization_claims_its_subdomain_and_activates_it(self) -> None:
        created = OrganizationCreated(name="New", subdomain="new", plan=Plan.FREE)
        admin = MemberJoined(user_id=DAN, role=Role.ADMIN)
        given(account(DAN, "Dan")).when(create(), by=DAN, org_id=None).then(
            on(NEW, created, admin, org_id=NEW),
            on(DAN, home(NEW)),
        )

    def test_creating_an_organization_again_records_nothing(self) -> None:
        again = create(organization_id=ACME, name="Acme", subdomain="acme")
        given(*STAFF).when(again).then()

    def test_a_taken_subdomain_is_refused_at_creation(self) -> None:
        given(*STAFF).when(create(subdomain="acme"), by=DAN).then_refused(SubdomainTaken)

    def test_a_released_subdomain_can_be_claimed(self) -> None:
        given_up = on(ACME, SubdomainChanged(from_="acme", to="apex"))
        soon, later = (NOW + SUBDOMAIN_KEPT - DAY, NOW + SUBDOMAIN_KEPT)
        story = given(*STAFF, given_up)

        story.when(create(subdomain="acme"), by=DAN, now=soon).then_refused(SubdomainTaken)
        assert len(story.when(create(subdomain="acme"), by=DAN, now=later).recorded) == 3

    def test_gets_its_own_subdomain_back_at_any_time(self) -> None:
        given_up = on(ACME, SubdomainChanged(from_="acme", to="apex"))
        back = EditOrganization(organization_id=ACME, subdomain="acme")
        changed = SubdomainChanged(from_="apex", to="acme")
        given(*STAFF, given_up).when(back).then(on(ACME, changed))

    def test_is_refused_a_reserved_subdomain(self) -> None:
        given(*STAFF).when(create(subdomain="www"), by=DAN).then_refused(SubdomainNotAllowed)

    def test_a_deactivated_account_cannot_create_an_organization(self) -> None:
        story = given(*ACCOUNTS, on(DAN, UserDeactivated())).when(create(), by=DAN)
        story.then_refused(AccountDeactivated)

    def test_creating_an_organization_needs_an_account(self) -> None:
        given().when(create(), by=DAN, org_id=None).then_refused(NotFound)

    def test_an_organization_cannot_have_the_id_of_another(self) -> None:
        asked = create(organization_id=OTHER)
        given(*STAFF, *STRANGERS).when(asked, by=ANA).then_refused(NotFound)

    def test_the_session_of_the_request_works_in_the_new_organization(self) -> None:
        story = given(account(DAN, "Dan"), on(LAPTOP, started(DAN)))
        made = story.when(create(), by=DAN, org_id=NEW, session_id=LAPTOP)
        assert on(LAPTOP, SessionSwitchedOrganization(to=NEW)) in made.recorded


class TestEditOrganization:
    def test_an_edit_renames_the_organization(self) -> None:
        asked = EditOrganization(organization_id=ACME, name="Apex")
        given(*STAFF).when(asked).then(on(ACME, OrganizationRenamed(from_="Acme", to="Apex")))

    def test_takes_the_new_subdomain(self) -> None:
        asked = EditOrganization(organization_id=ACME, subdomain="apex")
        given(*STAFF).when(asked).then(
            on(ACME, SubdomainChanged(from_="acme", to="apex")),
        )

    def test_records_nothing_if_nothing_would_change(self) -> None:
        given(*STAFF).when(
            EditOrganization(organization_id=ACME, name="Acme", subdomain="acme")
        ).then()

    def test_a_taken_subdomain_refuses_the_whole_edit(self) -> None:
        taken = founded(OTHER, "apex", dan=(DAN, Role.ADMIN))
        asked = EditOrganization(organization_id=ACME, name="Apex", subdomain="apex")
        given(*STAFF, taken).when(asked).then_refused(SubdomainTaken)

    def test_is_refused_a_reserved_subdomain(self) -> None:
        asked = EditOrganization(organization_id=ACME, subdomain="admin")
        given(*STAFF).when(asked).then_refused(SubdomainNotAllowed)


class TestChangePlan:
    def test_the_plan_can_be_changed(self) -> None:
        changed = PlanChanged(from_=Plan.FREE, to=Plan.BASIC)
        given(*STAFF).when(ChangePlan(organization_id=ACME, plan=Plan.BASIC)).then(changed)

    def test_setting_the_same_plan_records_nothing(self) -> None:
        given(*STAFF).when(ChangePlan(organization_id=ACME, plan=Plan.FREE)).then()


class TestDeleteOrganization:
    def test_a_deletion_is_recorded(self) -> None:
        given(*STAFF).when(DeleteOrganization(organization_id=ACME)).then(OrganizationDeleted())

    def test_deleting_an_organization_twice_is_not_found(self) -> None:
        asked = DeleteOrganization(organization_id=ACME)
        given(*STAFF, DELETED).when(asked).then_refused(NotFound)


class TestRestoreOrganization:
    asked = RestoreOrganization(organization_id=ACME)

    def test_whoever_restores_an_organization_works_in_it_again(self) -> None:
        story = given(*STAFF, DELETED, on(LAPTOP, started(ANA)))
        story.when(self.asked, session_id=LAPTOP).then(
            on(ACME, OrganizationRestored()),
            on(LAPTOP, SessionSwitchedOrganization(to=ACME)),
            on(ANA, home(ACME)),
        )

    @pytest.mark.parametrize("by", [BEN, CLEO, DAN])
    def test_only_admins_find_a_deleted_organization(self, by: UUID) -> None:
        given(*STAFF, DELETED).when(self.asked, by=by).then_refused(NotFound)

    def test_a_deactivated_admin_cannot_restore_an_organization(self) -> None:
        closed = on(ACME, MemberDeactivated(user_id=BEN))
        given(*STAFF, BEN_ADMIN, closed, DELETED).when(self.asked, by=BEN).then_refused(NotFound)

    def test_restoring_an_organization_that_exists_records_nothing(self) -> None:
        given(*STAFF, on(ANA, home(ACME))).when(self.asked).then()


def edit(user: UUID, **about: Any) -> EditMember:
    return EditMember(organization_id=ACME, user_id=user, **about)  # type: ignore[arg-type]  # what is given is checked at run time


class TestEditMember:
    def test_an_edit_changes_a_members_role(self) -> None:
        changed = MemberRoleChanged(user_id=CLEO, from_=Role.MEMBER, to=Role.MANAGER)
        given(*STAFF).when(edit(CLEO, role=Role.MANAGER)).then(on(ACME, changed))

    def test_an_edit_deactivates_and_reactivates_a_member(self) -> None:
        closed = MemberDeactivated(user_id=CLEO)
        given(*STAFF).when(edit(CLEO, active=False)).then(closed)
        given(*STAFF, on(ACME, closed)).when(edit(CLEO, active=True)).then(
            MemberReactivated(user_id=CLEO)
        )

    def test_records_nothing_if_nothing_would_change(self) -> None:
        given(*STAFF).when(edit(CLEO, role=Role.MEMBER, active=True)).then()

    @pytest.mark.parametrize("change", [{"role": Role.MEMBER}, {"active": False}])
    def test_the_last_admin_cannot_be_demoted_or_deactivated(self, change: dict[str, Any]) -> None:
        given(*STAFF).when(edit(ANA, **change)).then_refused(LastAdmin)

    def test_an_admin_can_step_down_if_there_is_another(self) -> None:
        changed = MemberRoleChanged(user_id=ANA, from_=Role.ADMIN, to=Role.MEMBER)
        given(*STAFF, BEN_ADMIN).when(edit(ANA, role=Role.MEMBER)).then(changed)

    def test_a_user_outside_the_organization_is_not_found(self) -> None:
        given(*STAFF).when(edit(DAN, role=Role.MEMBER)).then_refused(NotFound)


def remove(user: UUID) -> RemoveMember:
    return RemoveMember(organization_id=ACME, user_id=user)  # type: ignore[arg-type]  # what is given is checked at run time


class TestRemoveMember:
    def test_a_manager_can_remove_a_member(self) -> None:
        left = MemberLeft(user_id=CLEO, cause=LeaveCause.REMOVED)
        given(*STAFF).when(remove(CLEO), by=BEN).then(on(ACME, left))

    def test_every_member_can_leave(self) -> None:
        left = MemberLeft(user_id=CLEO, cause=LeaveCause.LEFT)
        given(*STAFF).when(remove(CLEO), by=CLEO).then(left)

    def test_a_member_cannot_remove_others(self) -> None:
        given(*STAFF).when(remove(BEN), by=CLEO).then_refused(NotPermitted)

    def test_a_manager_cannot_remove_an_admin(self) -> None:
        given(*STAFF, BEN_ADMIN).when(remove(ANA), by=BEN).then(
            MemberLeft(user_id=ANA, cause=LeaveCause.REMOVED)
        )
        given(*STAFF).when(remove(ANA), by=BEN).then_refused(RoleTooLow)

    def test_the_last_admin_cannot_be_removed(self) -> None:
        given(*STAFF).when(remove(ANA)).then_refused(LastAdmin)

    def test_removing_somebody_who_is_not_a_member_is_not_found(self) -> None:
        given(*STAFF).when(remove(DAN)).then_refused(NotFound)


FOR_ADMINS = [
    EditOrganization(organization_id=ACME, name="Apex"),
    ChangePlan(organization_id=ACME, plan=Plan.BASIC),
    DeleteOrganization(organization_id=ACME),
    edit(CLEO, role=Role.ADMIN),
]


@pytest.mark.parametrize("command", FOR_ADMINS)
class TestEveryCommandOnAnOrganization:
    @pytest.mark.parametrize("by", [BEN, CLEO])
    def test_organization_commands_are_refused_below_admin(
        self, command: Command, by: UUID
    ) -> None:
        given(*STAFF).when(command, by=by).then_refused(NotPermitted)

    def test_organization_commands_find_nothing_for_a_stranger(self, command: Command) -> None:
        given(*STAFF, *STRANGERS).when(command, by=DAN).then_refused(NotFound)

    def test_organization_commands_find_nothing_from_another_organization(
        self, command: Command
    ) -> None:
        story = given(*STAFF, *STRANGERS).when(command, by=DAN, org_id=OTHER)
        story.then_refused(NotFound)

    def test_organization_commands_find_nothing_in_the_trash(self, command: Command) -> None:
        given(*STAFF, DELETED).when(command).then_refused(NotFound)
