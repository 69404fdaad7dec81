"""The read models of the other columns show what their events tell."""

import json
from uuid import UUID

import pytest

from domain.base import Event
from domain.hooks.webhook.events import PauseCause, WebhookPaused, WebhookResumed
from domain.hooks.webhook.state import Webhook
from domain.identity.api_key.events import ApiKeyRevoked, ApiKeyUpdated
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.membership import (
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MemberReactivated,
    MemberRoleChanged,
    Role,
)
from domain.identity.session.events import SessionEnded, SessionRotated
from domain.identity.user.events import (
    PasswordChanged,
    UserDeactivated,
    UserProfileChanged,
    UserRegistered,
)
from domain.identity.user.state import User
from domain.work.project.events import ProjectArchived, ProjectDeleted, ProjectLeadAssigned
from domain.work.project.state import Project
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.hooks.webhook import Webhooks, render_webhook
from projections.identity.api_key import ApiKeyList, render_api_key
from projections.identity.member import Members
from projections.identity.session import Sessions
from projections.identity.user import Users, render_user
from projections.work.project import Projects, render_project
from tests.commands.acme import OPENED
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, NOW
from tests.projections.spec import (
    API_KEY,
    HOOKED,
    KEY_CREATED,
    LOGGED_IN,
    SESSION,
    WEBHOOK,
    shown,
    story,
)

JOINED = MemberJoined(user_id=ANA, role=Role.ADMIN)
DEMOTED = MemberRoleChanged(user_id=ANA, from_=Role.ADMIN, to=Role.MEMBER)


def key(stream: UUID) -> str:
    return f"{ACME}:{stream}"


REGISTERED = UserRegistered(email="ana@example.com", name="Ana")


def test_a_project_is_shown_as_a_command_answers_it() -> None:
    events = (OPENED, ProjectLeadAssigned(user_id=BEN), ProjectArchived())
    project = Project()
    for event in events:
        project = project.evolve(event)

    document = shown(Projects(), *story(ENG, *events))[key(ENG)]

    assert document.json == render_project(ENG, project, 3, NOW)
    assert (document.fields["status"], document.fields["key"]) == ("ARCHIVED", "ENG")
    assert not document.deleted


def test_a_deleted_project_is_in_no_list() -> None:
    document = shown(Projects(), *story(ENG, OPENED, ProjectDeleted()))[key(ENG)]

    assert document.deleted


@pytest.mark.parametrize(
    ("then", "role", "active", "left"),
    [
        ((), "ADMIN", True, False),
        (
            (MemberRoleChanged(user_id=ANA, from_=Role.ADMIN, to=Role.MEMBER),),
            "MEMBER",
            True,
            False,
        ),
        ((MemberDeactivated(user_id=ANA),), "ADMIN", False, False),
        ((MemberDeactivated(user_id=ANA), MemberReactivated(user_id=ANA)), "ADMIN", True, False),
        ((MemberLeft(user_id=ANA, cause=LeaveCause.LEFT),), "ADMIN", True, True),
    ],
)
def test_a_member_is_shown_with_role_and_state(
    then: tuple[Event, ...], role: str, active: bool, left: bool
) -> None:
    document = shown(Members(), *story(ACME, JOINED, *then))[f"{ACME}:{ANA}"]

    member = json.loads(document.json)
    assert (member["role"], member["active"], document.deleted) == (role, active, left)


def test_whoever_comes_back_starts_over() -> None:
    left = MemberLeft(user_id=ANA, cause=LeaveCause.LEFT)
    again = MemberJoined(user_id=ANA, role=Role.MEMBER)

    document = shown(Members(), *story(ACME, JOINED, left, again))[f"{ACME}:{ANA}"]

    assert not document.deleted
    assert json.loads(document.json)["role"] == "MEMBER"


def test_a_user_is_shown_by_name_and_without_anything_secret() -> None:
    events = (REGISTERED, UserProfileChanged(name="Ana B"), UserDeactivated())
    user = User()
    for event in events:
        user = user.evolve(event)

    document = shown(Users(), *story(ANA, *events))[key(ANA)]

    assert document.json == render_user(ANA, user)
    assert json.loads(document.json)["active"] is False


def test_a_session_is_shown_until_it_ends() -> None:
    rotated = SessionRotated(generation=1, rotated_at=NOW, idle_expires_at=NOW + 40 * DAY)

    running = shown(Sessions(), *story(SESSION, LOGGED_IN, rotated))[key(SESSION)]
    over = shown(Sessions(), *story(SESSION, LOGGED_IN, SessionEnded()))[key(SESSION)]

    assert running.fields["ends_at"] == (NOW + 30 * DAY).isoformat(timespec="microseconds")
    assert not running.deleted
    assert over.deleted


def test_a_webhook_says_whether_and_why_it_is_paused() -> None:
    paused = WebhookPaused(cause=PauseCause.FAILING)
    webhook = Webhook().evolve(HOOKED).evolve(paused)

    document = shown(Webhooks(), *story(WEBHOOK, HOOKED, paused))[key(WEBHOOK)]
    resumed = shown(Webhooks(), *story(WEBHOOK, HOOKED, paused, WebhookResumed()))[key(WEBHOOK)]

    assert document.json == render_webhook(WEBHOOK, webhook, 2, NOW)
    assert json.loads(document.json)["cause"] == "failing"
    assert json.loads(resumed.json)["status"] == "ACTIVE"


def test_an_api_key_is_shown_until_it_is_revoked_and_never_with_its_hash() -> None:
    updated = ApiKeyUpdated(name="Build server")
    api_key = ApiKey().evolve(KEY_CREATED).evolve(updated)

    document = shown(ApiKeyList(), *story(API_KEY, KEY_CREATED, updated))[key(API_KEY)]
    revoked = shown(ApiKeyList(), *story(API_KEY, KEY_CREATED, ApiKeyRevoked()))[key(API_KEY)]

    assert document.json == render_api_key(API_KEY, api_key, 2, NOW)
    view = json.loads(document.json)
    assert view["scopes"] == {"task": ["edit", "read"]}
    assert view["networks"] == ["192.0.2.0/24", "2001:db8::/32"]
    assert not {"hash", "old_hash"} & (document.fields.keys() | view.keys())
    assert revoked.deleted


def test_folding_the_same_events_twice_gives_the_same_documents() -> None:
    # A password change is counted, so folding it a second time would show.
    once = story(ANA, REGISTERED, PasswordChanged())

    folded = shown(Users(), *once, *once)

    assert folded == shown(Users(), *once)
    assert folded[key(ANA)].fields["credentials"] == 1


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
def test_every_index_begins_with_whose_it_is(projection: Projection[object]) -> None:
    for index in projection.indexes:
        assert index.equal[0] in {"org", "user_id"}
