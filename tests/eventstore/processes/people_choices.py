"""What one client happens to do with accounts, organizations, members, keys and webhooks."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from commands.base import Command
from commands.hooks.webhook import CreateWebhook, DeleteWebhook, RestoreWebhook
from commands.identity.api_key import CreateApiKey, PurgeApiKeys, RevokeApiKey
from commands.identity.erasing import EndInvitationOfErased, EraseUser, FinishErasure
from commands.identity.invitation import (
    AcceptInvitation,
    InviteMember,
    RegisterInvited,
    ResendInvitation,
    RevokeInvitation,
)
from commands.identity.leaving import RevokeKeyOfFormerMember
from commands.identity.organization import (
    ChangePlan,
    CreateOrganization,
    DeleteOrganization,
    EditMember,
    EditOrganization,
    LiftLegalHold,
    PlaceLegalHold,
    RemoveMember,
    RestoreOrganization,
)
from commands.identity.session import LogIn, LogOut, RevokeOtherSessions, SwitchOrganization
from commands.identity.user import ProveEmail, RegisterUser, RequestEmailProof
from commands.work.leaving import UnassignFormerMember
from commands.work.losing_sight import RemoveFormerMemberFromProject, RemoveFormerMemberFromTeam
from commands.work.project import CreateProject
from commands.work.project_member import AddProjectMember
from commands.work.task import AssignTask
from commands.work.team import AddTeamMember, CreateTeam
from domain.base import OrgId, ProjectId, SessionId, TaskId, TeamId, UserId, WebhookId
from domain.identity.api_key.state import stream_of_key
from domain.identity.organization.membership import Role
from domain.identity.plan import Plan
from domain.identity.user.address import EmailProofRequested
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, NOW, TASK
from tests.eventstore.processes.choices import Chances, Choices

BETA = OrgId(UUID(int=13))
ORGANIZATIONS = [ACME, ACME, BETA]
PEOPLE = [ANA, BEN, CLEO, DAN]
NAMES = ["ana", "ben", "cleo", "dan", "eve"]
DOMAINS = ["acme", "beta", "gamma"]
INVITATIONS = {
    org_id: [UUID(int=org_id.int * 100 + n) for n in range(6)] for org_id in (ACME, BETA)
}
PROOFS = [UUID(int=1200 + n) for n in range(4)]
SESSIONS = [SessionId(UUID(int=1300 + n)) for n in range(6)]
KEYS = [f"key{n}" for n in range(5)]
WEBHOOKS = [WebhookId(UUID(int=1400 + n)) for n in range(6)]
TEAM = TeamId(UUID(int=980))
LATER = NOW + timedelta(days=30)

IN_ACME = (
    *(CreateApiKey, RevokeApiKey, PurgeApiKeys, RevokeKeyOfFormerMember, CreateWebhook),
    *(DeleteWebhook, RestoreWebhook, CreateProject, CreateTeam, AddTeamMember, AddProjectMember),
    *(AssignTask, RemoveFormerMemberFromTeam, RemoveFormerMemberFromProject, UnassignFormerMember),
)
"""What happens in Acme only, because ids of things are never there twice."""
OWN = AcceptInvitation | EraseUser | RequestEmailProof | ProveEmail
"""What everybody does for themselves."""


class PeopleChoices(Choices):
    """What becomes of four people in two organizations."""

    def command(self) -> tuple[Command, UserId, OrgId | None]:
        """Return the next command, who sends it, and from which organization."""
        areas = (self._accounts, self._organizations, self._members, self._invited)
        made = self.among(*areas, self._sessions, self._keys, self._work)
        by = made.user_id if isinstance(made, OWN) else self.of([ANA, ANA, ANA, *PEOPLE])
        elsewhere = self.of([ACME, ACME, None]) if isinstance(made, IN_ACME) else None
        return made, by, getattr(made, "organization_id", elsewhere)

    def _accounts(self) -> Chances:
        user, address = self.of(PEOPLE), f"{self.of(NAMES)}@example.com"
        hers = CreateOrganization(organization_id=OrgId(uuid4()), name="Own", subdomain="own")
        new: dict[str, Any] = {"email": address, "name": "Eve", "password_hash": b"hash"}
        proof = self.of(PROOFS)
        asked = EmailProofRequested(
            proof_id=proof, email=address, token_hash=proof.hex, expires_at=LATER
        )
        return [
            (1, lambda: RegisterUser(user_id=user, **new)),
            (1, lambda: RegisterUser(user_id=UserId(uuid4()), **new, organization=hers)),
            (2, lambda: RequestEmailProof(user_id=user, requested=asked)),
            (2, lambda: ProveEmail(user_id=user, token_hash=proof.hex)),
            (1, lambda: EraseUser(user_id=CLEO, organizations=(*ORGANIZATIONS,))),
            (1, lambda: FinishErasure(user_id=CLEO)),
            (1, lambda: EndInvitationOfErased(invitation_id=self.of(INVITATIONS[ACME]))),
        ]

    def _organizations(self) -> Chances:
        org_id, subdomain, plan = self.of(ORGANIZATIONS), self.of(DOMAINS), self.of(list(Plan))
        its: dict[str, Any] = {"organization_id": org_id}
        beta = CreateOrganization(organization_id=BETA, name="Beta", subdomain="beta")
        return [
            (2, lambda: beta),
            (2, lambda: EditOrganization(**its, subdomain=subdomain)),
            (1, lambda: ChangePlan(**its, plan=plan)),
            (1, lambda: DeleteOrganization(organization_id=BETA)),
            (2, lambda: RestoreOrganization(organization_id=BETA)),
            (1, lambda: PlaceLegalHold(**its, reason="A claim")),
            (1, lambda: LiftLegalHold(**its)),
        ]

    def _members(self) -> Chances:
        its: dict[str, Any] = {"organization_id": self.of(ORGANIZATIONS)}
        user, role = self.of([BEN, CLEO, DAN]), self.of(list(Role))
        return [
            (2, lambda: EditMember(**its, user_id=user, role=role)),
            (2, lambda: EditMember(**its, user_id=user, active=self.of([True, False]))),
            (1, lambda: RemoveMember(**its, user_id=user)),
        ]

    def _invited(self) -> Chances:
        org_id = self.of(ORGANIZATIONS)
        made, other = self.of(INVITATIONS[org_id]), self.of(INVITATIONS[org_id])
        its: dict[str, Any] = {"organization_id": org_id, "invitation_id": made}
        mail: dict[str, Any] = {"token_hash": made.hex, "expires_at": LATER, "mailed": False}
        at = self.of(range(len(PEOPLE)))
        address, user = f"{NAMES[at]}@example.com", PEOPLE[at]
        new: dict[str, Any] = {"user_id": UserId(uuid4()), "name": "Eve", "password_hash": b"hash"}
        return [
            (4, lambda: InviteMember(**its, **mail, email=address, role=self.of(list(Role)))),
            (4, lambda: AcceptInvitation(**its, token_hash=made.hex, user_id=user)),
            (2, lambda: RegisterInvited(**its, token_hash=made.hex, **new)),
            (1, lambda: ResendInvitation(**its, **mail, next_id=other)),
            (1, lambda: RevokeInvitation(**its)),
        ]

    def _sessions(self) -> Chances:
        session, user, org_id = self.of(SESSIONS), self.of(PEOPLE), self.of(ORGANIZATIONS)
        return [
            (3, lambda: LogIn(session_id=session, user_id=user, nonce="n", credentials=0)),
            (1, lambda: LogOut(session_id=session)),
            (1, lambda: RevokeOtherSessions(session_id=session, listed=(*SESSIONS,))),
            (1, lambda: SwitchOrganization(organization_id=org_id)),
        ]

    def _keys(self) -> Chances:
        key, hook = self.of(KEYS), self.of(WEBHOOKS)
        new = CreateApiKey(
            key_id=key,
            hash=key,
            last4="wxyz",
            name="CI",
            scopes=("task:read",),
            expires_at=self.of([LATER, NOW + timedelta(days=1)]),
        )
        posting = CreateWebhook(
            webhook_id=hook, url="https://a.example", events=("*",), from_seq=0, sealed_secret=b"s"
        )
        stream = stream_of_key(key)
        return [
            (3, lambda: new),
            (1, lambda: RevokeApiKey(api_key_id=stream)),
            (1, lambda: PurgeApiKeys(keys=(stream,))),
            (1, lambda: RevokeKeyOfFormerMember(api_key_id=stream)),
            (3, lambda: posting),
            (1, lambda: DeleteWebhook(webhook_id=hook)),
            (2, lambda: RestoreWebhook(webhook_id=hook)),
        ]

    def _work(self) -> Chances:
        user = self.of(PEOPLE)
        project = CreateProject(
            project_id=ProjectId(uuid4()), key=self.of(["A", "B"]) * 3, name="X"
        )
        return [
            (1, lambda: project),
            (1, lambda: CreateTeam(team_id=TEAM, name="Gears")),
            (2, lambda: AddTeamMember(team_id=TEAM, user_id=user)),
            (2, lambda: AddProjectMember(project_id=ENG, user_id=user)),
            (2, lambda: AssignTask(task_id=TaskId(TASK), user_id=user)),
            (1, lambda: RemoveFormerMemberFromTeam(team_id=TEAM, user_id=user)),
            (1, lambda: RemoveFormerMemberFromProject(project_id=ENG, user_id=user)),
            (1, lambda: UnassignFormerMember(task_id=TaskId(TASK), user_id=user)),
        ]
