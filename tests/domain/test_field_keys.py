"""Every event names the fields that it changes, and changes exactly those."""

import re
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import pytest
from immutables import Map
from msgspec.structs import asdict

from domain import access
from domain.audit import AuditExported, AuditTrail, LogRestored
from domain.base import Event, SessionId, State
from domain.catalog import EVENT_TYPES, tag_of
from domain.hooks.webhook import events as webhook
from domain.hooks.webhook.state import Webhook
from domain.identity.api_key import events as api_key
from domain.identity.api_key.state import ApiKey
from domain.identity.organization import events as organization
from domain.identity.organization import membership, sso
from domain.identity.organization.settings import OrganizationSettings, SettingsChanged
from domain.identity.organization.sso import SignOn
from domain.identity.plan import Plan
from domain.identity.session import events as session_events
from domain.identity.session import state as session_state
from domain.identity.user import address, erasure, totp
from domain.identity.user import events as user
from domain.identity.user.state import User
from domain.planning.template.state import TaskTemplate
from domain.redaction import ContentRedacted, Redaction
from domain.undo import ChangesUndone, Undo
from domain.work.team import Team
from tests.domain.acme import DELETED, TEAM, invitation
from tests.domain.identity.providers import CONFIGURED, PROVEN
from tests.domain.planning.changes import PLANNING_CHANGES, PLANNING_CREATIONS
from tests.domain.purges import PURGES
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, ENG, NOW, given
from tests.domain.work.changes import WORK_CHANGES, WORK_CREATIONS
from tools.discover import modules_of

STATES: list[type[State]] = [
    item
    for module in modules_of("domain")
    for item in vars(module).values()
    if isinstance(item, type) and "folds" in vars(item) and item.__module__ == module.__name__
    if item is not State
]

INVITED = given(TEAM, invitation())
INVITATION = f"invitations:{invitation().invitation_id}"
INACTIVE = given(TEAM, membership.MemberDeactivated(user_id=CLEO))
TO_MEMBER, TO_ADMIN = membership.Role.MEMBER, membership.Role.ADMIN
LEFT = membership.LeaveCause.LEFT
ACCOUNT = given(User(), user.UserRegistered(email="a@example.com", name="Ana"))
SECURED = given(ACCOUNT, totp.TotpEnabled(step=5, recovery=("a",)))
CHANGED = ("email", "email_confirmed")
ERASING = given(ACCOUNT, erasure.UserErasureRequested())
CLOSED = given(ACCOUNT, user.UserDeactivated())
STARTED = given(
    session_state.Session(),
    *session_state.Session().start(session_state.NewSession(user_id=ANA, nonce="n"), NOW),
)
HOOK = given(
    Webhook(),
    webhook.WebhookCreated(
        url="https://example.com", events=("*",), mode=webhook.DeliveryMode.ORDERED, from_seq=7
    ),
)
PAUSED = given(HOOK, webhook.WebhookPaused(cause=webhook.PauseCause.MANUAL))

KEY = given(
    ApiKey(),
    api_key.ApiKeyCreated(
        name="CI",
        key_id="abc",
        hash="one",
        last4="wxyz",
        scopes=("task:read",),
        networks="",
        expires_at=NOW + DAY,
        created_by=ANA,
        created_at=NOW,
    ),
)

CHANGES: list[tuple[State, Event, tuple[str, ...]]] = [
    *WORK_CHANGES,
    *PLANNING_CHANGES,
    *PURGES,
    (TEAM, organization.OrganizationRenamed(from_="Acme", to="Apex"), ("name",)),
    (TEAM, organization.SubdomainChanged(from_="acme", to="apex"), ("subdomain",)),
    (TEAM, SettingsChanged(session_idle=7), ("settings:session_idle",)),
    (TEAM, organization.PlanChanged(from_=Plan.FREE, to=Plan.BASIC), ("plan",)),
    (TEAM, CONFIGURED, ("sign_on:provider",)),
    (given(TEAM, CONFIGURED), sso.SsoRemoved(), ("sign_on:provider",)),
    (given(TEAM, CONFIGURED), PROVEN, ("sign_on:proven:example.com",)),
    (
        given(TEAM, sso.MemberLinked(user_id=BEN, issuer="i", subject="b")),
        sso.MemberUnlinked(user_id=BEN),
        (f"sign_on:links:{BEN}",),
    ),
    (TEAM, sso.MemberLinked(user_id=BEN, issuer="i", subject="b"), (f"sign_on:links:{BEN}",)),
    (TEAM, organization.OrganizationDeleted(), ("deleted",)),
    (DELETED, organization.OrganizationRestored(), ("deleted",)),
    (TEAM, invitation(), (INVITATION,)),
    (
        INVITED,
        membership.InvitationRevoked(invitation_id=invitation().invitation_id),
        (INVITATION,),
    ),
    (
        INVITED,
        membership.InvitationExpired(invitation_id=invitation().invitation_id),
        (INVITATION,),
    ),
    (
        INVITED,
        membership.InvitationAccepted(invitation_id=invitation().invitation_id, user_id=DAN),
        (INVITATION,),
    ),
    (
        TEAM,
        membership.MemberJoined(user_id=DAN, role=TO_MEMBER),
        (f"members:{DAN}:role", f"members:{DAN}:active"),
    ),
    (
        TEAM,
        membership.MemberLeft(user_id=CLEO, cause=LEFT),
        (f"members:{CLEO}:role", f"members:{CLEO}:active"),
    ),
    (
        TEAM,
        membership.MemberRoleChanged(user_id=CLEO, from_=TO_MEMBER, to=TO_ADMIN),
        (f"members:{CLEO}:role",),
    ),
    (TEAM, membership.MemberDeactivated(user_id=CLEO), (f"members:{CLEO}:active",)),
    (INACTIVE, membership.MemberReactivated(user_id=CLEO), (f"members:{CLEO}:active",)),
    (ACCOUNT, user.EmailConfirmed(), ("email_confirmed",)),
    (
        ACCOUNT,
        user.PasswordResetRequested(reset_id=ANA, token_hash="0", expires_at=NOW),
        ("reset",),
    ),
    (ACCOUNT, address.EmailChanged(from_="a@example.com", to="b@example.com"), CHANGED),
    (
        ACCOUNT,
        address.EmailProofRequested(
            proof_id=ANA, email="b@example.com", token_hash="0", expires_at=NOW
        ),
        ("proof",),
    ),
    (ACCOUNT, user.NewNetworkSeen(network="192.0.2.0/24", device="curl"), ()),
    (ACCOUNT, user.PasswordChanged(), ("credentials",)),
    (ACCOUNT, user.UserProfileChanged(name="Anna"), ("name",)),
    (ACCOUNT, user.UserProfileChanged(time_zone="UTC"), ("time_zone",)),
    (ACCOUNT, erasure.UserErasureRequested(), ("active", "email", "name", "erasing")),
    (ERASING, erasure.UserErased(), ("erased",)),
    (ACCOUNT, user.HomeOrganizationChanged(organization_id=ACME), ("home_organization_id",)),
    (ACCOUNT, user.UserDeactivated(), ("active",)),
    (CLOSED, user.UserReactivated(), ("active",)),
    (ACCOUNT, user.LoginFailed(), ()),
    (ACCOUNT, totp.TotpEnabled(step=5, recovery=("a",)), ("totp",)),
    (SECURED, totp.TotpUsed(step=6), ("totp",)),
    (SECURED, totp.RecoveryCodeUsed(code_hash="a"), ("totp",)),
    (SECURED, totp.RecoveryCodesRenewed(recovery=("b",)), ("totp",)),
    (SECURED, totp.TotpDisabled(), ("totp",)),
    (
        STARTED,
        session_events.SessionRotated(generation=1, rotated_at=NOW, idle_expires_at=NOW + DAY),
        ("generation", "rotated_at", "idle_expires_at"),
    ),
    (
        STARTED,
        session_events.SessionReauthenticated(factor=session_events.Factor.PASSWORD, at=NOW + DAY),
        ("authenticated_at",),
    ),
    (STARTED, session_events.SessionSwitchedOrganization(to=ACME), ("organization_id",)),
    (STARTED, session_events.SessionEnded(), ("ended",)),
    (
        STARTED,
        session_events.SessionRevoked(by=ANA, cause=session_events.RevocationCause.BY_USER),
        ("ended",),
    ),
    (STARTED, session_events.RefreshTokenReuseDetected(generation=3), ()),
    (HOOK, webhook.WebhookUpdated(url="https://example.org"), ("url",)),
    (
        HOOK,
        webhook.WebhookUpdated(description="Chat", events=("task.*",)),
        ("events", "description"),
    ),
    (HOOK, webhook.WebhookUpdated(mode=webhook.DeliveryMode.PARALLEL), ("mode",)),
    (HOOK, webhook.WebhookUpdated(private_projects=True), ("private_projects",)),
    (
        HOOK,
        webhook.WebhookSecretRotated(secret_version=2, old_valid_until=NOW),
        ("secret_version", "old_secrets"),
    ),
    (HOOK, webhook.WebhookPaused(cause=webhook.PauseCause.GONE), ("paused",)),
    (PAUSED, webhook.WebhookResumed(), ("paused",)),
    (HOOK, webhook.WebhookReplayRequested(from_seq=1, to_seq=2), ()),
    (HOOK, webhook.WebhookDeleted(), ("deleted",)),
    (given(HOOK, webhook.WebhookDeleted()), webhook.WebhookRestored(), ("deleted",)),
    (access.AccessRecord(), access.AuditRead(user_id=ANA, at=NOW), ("audit_read_at",)),
    (access.AccessRecord(), access.LoggedIn(user_id=ANA, session_id=SessionId(ANA)), ()),
    (access.AccessRecord(), access.NewNetworkUsed(user_id=ANA, session_id=SessionId(ANA)), ()),
    (access.AccessRecord(), access.LoginRefused(user_id=ANA, count=2), ()),
    (access.AccessRecord(), access.SsoRefused(user_id=ANA, reason="expired_token", count=2), ()),
    (access.AccessRecord(), access.AccessDenied(user_id=ANA, needs="audit:read", count=2), ()),
    (KEY, api_key.ApiKeyUpdated(name="Two", networks="::/0"), ("name", "networks")),
    (
        KEY,
        api_key.ApiKeyRotated(
            hash="two",
            last4="zyxw",
            rotated_at=NOW + DAY,
            expires_at=NOW + 2 * DAY,
            old_valid_until=NOW + DAY,
        ),
        ("hash", "last4", "renewed_at", "expires_at", "old_hash", "old_valid_until"),
    ),
    (KEY, api_key.ApiKeyRevoked(), ("revoked",)),
    (KEY, api_key.ApiKeyExpired(), ("over",)),
    (AuditTrail(), AuditExported(from_=1, to=2, format="jsonl"), ("exports",)),
    (AuditTrail(), LogRestored(epoch=2, kept=7), ("epoch",)),
    (Redaction(), ContentRedacted(of=ENG, texts=(), reason="A password"), ("times",)),
    (Undo(), ChangesUndone(correlation_id="one", done=1, conflicts=0), ("times",)),
]

MEMBERS_OF_SETS = ("assignees", "labels", "reactions", "watchers")

CREATIONS = {
    *WORK_CREATIONS,
    *PLANNING_CREATIONS,
    api_key.ApiKeyCreated,
    organization.OrganizationCreated,
    session_events.SessionStarted,
    user.UserRegistered,
    webhook.WebhookCreated,
}


@pytest.mark.parametrize("state", STATES)
def test_a_state_folds_the_events_that_its_fold_takes(state: type[State]) -> None:
    taken = get_type_hints(state.evolve)["event"]

    assert set(state.folds) == set(get_args(taken) or (taken,))


def test_every_event_is_folded_by_one_state() -> None:
    assert sorted(tag_of(event) for state in STATES for event in state.folds) == list(EVENT_TYPES)


@pytest.mark.parametrize(
    ("before", "event", "keys"), CHANGES, ids=[tag_of(event) for _, event, _ in CHANGES]
)
def test_an_event_changes_the_fields_that_it_names(
    before: State, event: Event, keys: tuple[str, ...]
) -> None:
    after = given(before, event)

    assert event.field_keys() == keys
    assert set(_changed(_parts(before), _parts(after))) == set(keys)


def test_every_event_that_changes_an_aggregate_is_among_them() -> None:
    claims = {event for tag, event in EVENT_TYPES.items() if re.search("claimed|released", tag)}
    changing = set(EVENT_TYPES.values()) - CREATIONS - claims
    assert {type(event) for _, event, _ in CHANGES} == changing


def _changed(before: dict[str, Any], after: dict[str, Any]) -> Iterable[str]:
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield name


def _parts(state: Any) -> dict[str, Any]:
    """Return every value in *state* by the key of the field, or of the part of it."""
    parts: dict[str, Any] = {}
    for name, value in asdict(state).items():
        if isinstance(state, TaskTemplate):  # what is several in it is set as a whole
            parts[name] = value
        elif name in MEMBERS_OF_SETS or (name == "members" and isinstance(value, tuple)):
            parts |= {f"{name}:{user_id}": True for user_id in value}
        elif name == "members" and not isinstance(state, Team):
            for user_id, member in value.items():
                parts |= {f"{name}:{user_id}:{k}": v for k, v in asdict(member).items()}
        elif name == "fields":
            parts |= {f"{name}:{one.partition(':')[0]}": one for one in value}
        elif isinstance(value, OrganizationSettings):
            parts |= {f"{name}:{k}": v for k, v in asdict(value).items()}
        elif isinstance(value, SignOn):
            parts |= {f"{name}:links:{key}": entry for key, entry in value.links.items()}
            parts |= {f"{name}:proven:{domain}": True for domain in value.proven}
            parts[f"{name}:provider"] = value.provider
        elif isinstance(value, Map):
            parts |= {f"{name}:{key}": entry for key, entry in value.items()}
        else:
            parts[name] = value
    return parts
