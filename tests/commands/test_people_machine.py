"""Members, roles, invitations and API keys are always as a simple model says they must be."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from msgspec.structs import replace

from commands.base import Command
from commands.handler import CommandHandler
from commands.identity.api_key import EditApiKey, RevokeApiKey, RotateApiKey
from commands.identity.invitation import AcceptInvitation, RevokeInvitation
from commands.identity.organization import ChangePlan, EditMember, RemoveMember
from commands.key_check import CheckedKey, KeyCheck
from commands.plan_counts import counted_of
from commands.work.project import CreateProject
from domain.base import ApiKeyId, DomainError, ProjectId, UserId
from domain.identity.api_key.state import ApiKey, stream_of_key
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.plan import Countable, Plan, limit_of
from domain.permission import Permission, permissions_of_key
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Actor, ActorKind
from tests.commands.acme import ACCOUNTS, TEAM
from tests.commands.machines.patience import examples
from tests.commands.people import (
    CALLERS,
    KEYS,
    LIFETIME,
    NONE,
    PEOPLE,
    SCOPES,
    STEP,
    Asked,
    Cut,
    Held,
    checked,
    creating,
    inviting,
    presented,
)
from tests.domain.spec import ACME, ANA, BEN, CLEO, NOW
from tests.eventstore.crowd import check_gapless
from tests.spec import context, data_keys, record

T = TypeVar("T")


class People(RuleBasedStateMachine):
    """Drives two handlers on one log beside a model made of dictionaries."""

    invitations: Bundle[UUID] = Bundle("invitations")
    keys: Bundle[ApiKeyId] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = MemoryStore()
        self.log = EventLog(self.store, data_keys())
        self.run(self.log.open())
        self.run(record(self.log, TEAM, *ACCOUNTS))
        self.handlers = [CommandHandler(self.log), CommandHandler(self.log)]
        self.checks = [KeyCheck(each.states, self.log) for each in self.handlers]
        self.now = NOW
        self.plan = Plan.FREE
        self.members = {ANA: Held(Role.ADMIN), BEN: Held(Role.MANAGER), CLEO: Held(Role.MEMBER)}
        self.asked: dict[UUID, Asked] = {}
        self.cut: dict[ApiKeyId, Cut] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.log.close())
        self.runner.close()

    def passes(self, command: Command, by: UserId, right: bool, **about: Any) -> bool:
        """Handle *command* on the handler whose turn it is; it must pass exactly if *right*."""
        self.handlers.reverse()
        before = self.store.last_position()
        refusal: DomainError | None = None
        try:
            self.run(self.handlers[0].handle(command, context(by, now=self.now, **about)))
        except DomainError as refused:
            refusal = refused
        assert right is (refusal is None), f"{command} by {by}: {refusal!r}"
        assert right or self.store.last_position() == before
        return right

    def role(self, who: UserId) -> Role | None:
        held = self.members.get(who)
        return held.role if held is not None and held.active else None

    def is_above(self, by: UserId, least: Role) -> bool:
        role = self.role(by)
        return role is not None and role.rank >= least.rank

    def is_last_admin(self, who: UserId) -> bool:
        admins = [one for one in self.members if self.role(one) is Role.ADMIN]
        return admins == [who]

    # Time and plan ----------------------------------------------------------

    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        self.now += days * STEP

    @rule(by=CALLERS, plan=st.sampled_from(Plan))
    def change_plan(self, by: UserId, plan: Plan) -> None:
        command = ChangePlan(organization_id=ACME, plan=plan)
        if self.passes(command, by, self.is_above(by, Role.ADMIN)):
            self.plan = plan

    # Members ----------------------------------------------------------------

    @rule(who=PEOPLE, by=CALLERS, role=st.sampled_from(Role))
    def change_role(self, who: UserId, by: UserId, role: Role) -> None:
        command = EditMember(organization_id=ACME, user_id=who, role=role)
        right = self.is_above(by, Role.ADMIN) and who in self.members
        right = right and (role is self.members[who].role or not self.is_last_admin(who))
        if self.passes(command, by, right):
            self.members[who].role = role

    @rule(who=PEOPLE, by=CALLERS, active=st.booleans())
    def suspend(self, who: UserId, by: UserId, active: bool) -> None:
        command = EditMember(organization_id=ACME, user_id=who, active=active)
        right = self.is_above(by, Role.ADMIN) and who in self.members
        right = right and (active or not self.is_last_admin(who))
        if self.passes(command, by, right):
            self.members[who].active = active

    @rule(who=PEOPLE, by=CALLERS)
    def remove(self, who: UserId, by: UserId) -> None:
        command = RemoveMember(organization_id=ACME, user_id=who)
        held = self.members.get(who)
        right = held is not None and self.role(by) is not None and not self.is_last_admin(who)
        if held is not None and who != by:
            lower = Role.MANAGER if held.role is Role.MEMBER else Role.ADMIN
            right = right and self.is_above(by, lower)
        if self.passes(command, by, right):
            del self.members[who]

    # Invitations ------------------------------------------------------------

    @rule(target=invitations, who=PEOPLE, by=CALLERS, role=st.sampled_from(Role))
    def invite(self, who: UserId, by: UserId, role: Role) -> Any:
        made = uuid4()
        command = inviting(made, who, role, self.now + LIFETIME)
        right = self.is_above(by, Role.MANAGER if role is Role.MEMBER else Role.ADMIN)
        if not self.passes(command, by, right):
            return NONE
        self.asked = {
            one: asked
            for one, asked in self.asked.items()
            if asked.to != who and asked.until > self.now
        }
        self.asked[made] = Asked(who, role, self.now + LIFETIME)
        return made

    @rule(invitation=invitations, by=CALLERS)
    def revoke_invitation(self, invitation: UUID, by: UserId) -> None:
        command = RevokeInvitation(organization_id=ACME, invitation_id=invitation)
        asked = self.asked.get(invitation)
        right = asked is not None and self.is_above(
            by, Role.MANAGER if asked.role is Role.MEMBER else Role.ADMIN
        )
        if self.passes(command, by, right):
            del self.asked[invitation]

    @rule(invitation=invitations, by=CALLERS)
    def accept(self, invitation: UUID, by: UserId) -> None:
        command = AcceptInvitation(
            organization_id=ACME, invitation_id=invitation, token_hash=invitation.hex, user_id=by
        )
        asked = self.asked.get(invitation)
        right = asked is not None and asked.to == by and asked.until > self.now
        right = right and by not in self.members
        if self.passes(command, by, right) and asked is not None:
            del self.asked[invitation]
            self.members[by] = Held(asked.role)

    # API keys ---------------------------------------------------------------

    @initialize(target=keys)
    def begin_with_a_key(self) -> Any:
        return self.cut_key(BEN, ("project:create", "task:read"))

    @rule(target=keys, by=CALLERS, scopes=SCOPES)
    def create_key(self, by: UserId, scopes: tuple[str, ...]) -> Any:
        return self.cut_key(by, scopes)

    def cut_key(self, by: UserId, scopes: tuple[str, ...]) -> Any:
        made, role = KEYS.new(), self.role(by)
        limit = limit_of(self.plan, Countable.API_KEYS)
        right = role is not None and set(scopes) <= {str(p) for p in permissions_of_key(role)}
        right = right and (role is not Role.MEMBER or self.plan is not Plan.FREE)
        right = right and (limit is None or self.count_of_keys() < limit)
        command = creating(made, scopes, self.now + LIFETIME)
        if not self.passes(command, by, right):
            return NONE
        key = stream_of_key(made.key_id)
        self.cut[key] = Cut(by, scopes, made.text, self.now + LIFETIME)
        return key

    def count_of_keys(self) -> int:
        return sum(not cut.revoked for cut in self.cut.values())

    def may_change(self, key: ApiKeyId, by: UserId) -> bool:
        owner = self.cut[key].by == by or self.role(by) is Role.ADMIN
        return self.role(by) is not None and owner and not self.cut[key].revoked

    @rule(key=keys, by=CALLERS)
    def revoke_key(self, key: ApiKeyId, by: UserId) -> None:
        if self.passes(RevokeApiKey(api_key_id=key), by, self.may_change(key, by)):
            self.cut[key].revoked = True

    @rule(key=keys, by=CALLERS)
    def rename_key(self, key: ApiKeyId, by: UserId) -> None:
        right = self.may_change(key, by) and self.cut[key].until > self.now
        self.passes(EditApiKey(api_key_id=key, name="Other"), by, right)

    @rule(key=keys, by=CALLERS)
    def rotate_key(self, key: ApiKeyId, by: UserId) -> None:
        cut = self.cut[key]
        right = self.may_change(key, by) and cut.by == by and cut.until > self.now
        made = KEYS.new(presented(cut.text).key_id)
        command = RotateApiKey(api_key_id=key, hash=made.hash, last4=made.last4)
        if self.passes(command, by, right):
            cut.old, cut.old_until = cut.text, min(self.now + STEP, cut.until)
            cut.text, cut.until = made.text, self.now + LIFETIME

    # What always holds ------------------------------------------------------

    @invariant()
    def the_log_is_as_the_model(self) -> None:
        states = self.handlers[0].states
        organization = self.run(states.fresh(Organization, ACME, ACME))
        assert {u: (m.role, m.active) for u, m in organization.members.items()} == {
            u: (held.role, held.active) for u, held in self.members.items()
        }
        assert set(organization.invitations) == set(self.asked)
        assert any(self.role(one) is Role.ADMIN for one in self.members)
        for key, cut in self.cut.items():
            state = self.run(states.fresh(ApiKey, key, ACME))
            assert (state.revoked, state.created_by) == (cut.revoked, cut.by)

    @invariant()
    def every_key_is_as_good_as_its_creator(self) -> None:
        self.checks.reverse()
        for key, cut in self.cut.items():
            role = self.role(cut.by)
            lives = not cut.revoked and cut.until > self.now and role is not None
            for text, good in ((cut.text, lives), (cut.old, lives and cut.old_until > self.now)):
                found = self.run(checked(self.checks[0], text, self.now)) if text else None
                assert (found is not None) is (good and text != "")
                if found is not None:
                    assert (found.user_id, found.role) == (cut.by, role)
                    self.act(key, cut, found)

    def act(self, key: ApiKeyId, cut: Cut, found: CheckedKey) -> None:
        """Create a project with a key, which needs a scope and the creator's role."""
        allowed = permissions_of_key(found.role)
        may = "project:create" in cut.scopes and Permission.PROJECT_CREATE in allowed
        asked = replace(
            context(key, now=self.now, dry_run=True, on_behalf_of=cut.by, scopes=found.scopes),
            actor=Actor(ActorKind.API_KEY, key),
        )
        command = CreateProject(project_id=ProjectId(uuid4()), key="ENG", name="Engine")
        refusal: DomainError | None = None
        try:
            self.run(self.handlers[0].handle(command, asked))
        except DomainError as refused:
            refusal = refused
        assert may is (refusal is None), refusal

    @invariant()
    def the_counts_are_those_of_the_model(self) -> None:
        wanted = (Countable.MEMBERS, Countable.API_KEYS)
        found = self.run(self.log.counted(*(counted_of(ACME, what) for what in wanted)))
        assert found == [len(self.members) + len(self.asked), self.count_of_keys()]

    @invariant()
    def the_log_has_no_gaps(self) -> None:
        check_gapless(self.store)


People.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25)
TestPeople = People.TestCase
