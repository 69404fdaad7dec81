"""Stories of the commands on API keys."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import Command, NotForApiKeys, NotPermitted, ScopeMissing
from commands.identity.api_key import CreateApiKey, EditApiKey, RevokeApiKey, RotateApiKey
from commands.identity.organization import ChangePlan
from commands.identity.session import SwitchOrganization
from commands.work.task import EditTask
from commands.work.trash.task import DeleteTask
from domain.base import ApiKeyId, NotFound
from domain.identity.api_key.errors import ApiKeyIsOver, ExpiryNotAllowed, ScopeNotAllowed
from domain.identity.api_key.events import (
    ApiKeyCreated,
    ApiKeyExpired,
    ApiKeyRevoked,
    ApiKeyRotated,
    ApiKeyUpdated,
)
from domain.identity.api_key.state import stream_of_key
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import Plan, PlanLimitReached
from domain.permission import Permission
from domain.work.task.events import TaskRetitled
from tests.commands.acme import HERE as ACME_HERE
from tests.commands.acme import STRANGERS
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, ENG, NOW, OTHER, TASK
from tests.spec import given, on

KEY = stream_of_key("abc")
CREATED = ApiKeyCreated(
    name="CI",
    key_id="abc",
    hash="one",
    last4="wxyz",
    scopes=("task:read",),
    networks="",
    expires_at=NOW + 90 * DAY,
    created_by=BEN,
    created_at=NOW,
)
HERE = (*ACME_HERE, *STRANGERS, on(KEY, CREATED))
PAID = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))


def create(**about: Any) -> CreateApiKey:
    details: dict[str, Any] = {
        "key_id": "abc",
        "hash": "one",
        "last4": "wxyz",
        "name": "CI",
        "scopes": ("task:read",),
        "expires_at": NOW + 90 * DAY,
    }
    return CreateApiKey(**(details | about))


class TestCreateApiKey:
    def test_a_manager_creates_a_key_of_their_own(self) -> None:
        story = given(*ACME_HERE).when(create(), by=BEN)

        story.then(on(KEY, CREATED))
        assert story.secrets[KEY] == {}

    @pytest.mark.parametrize("scope", ["webhook:manage", "audit:read", "org:manage", "task:fly"])
    def test_a_scope_beyond_the_role_is_refused(self, scope: str) -> None:
        asked = create(scopes=("task:read", scope))
        given(*ACME_HERE).when(asked, by=BEN).then_refused(ScopeNotAllowed, refused=[scope])

    def test_a_member_creates_keys_that_read_on_a_paid_plan(self) -> None:
        by_cleo = given(*ACME_HERE, PAID)
        by_cleo.when(create(scopes=("task:edit",)), by=CLEO).then_refused(ScopeNotAllowed)
        by_cleo.when(create(), by=CLEO).then(
            ApiKeyCreated(**{**_fields(CREATED), "created_by": CLEO})
        )
        free = given(*ACME_HERE).when(create(), by=CLEO)
        free.then_refused(PlanLimitReached, what="member_api_keys", limit=0)

    def test_the_expiry_is_within_a_year(self) -> None:
        asked = create(expires_at=NOW + timedelta(days=366))
        given(*ACME_HERE).when(asked).then_refused(ExpiryNotAllowed)

    def test_creating_a_key_again_records_nothing(self) -> None:
        given(*HERE).when(create(), by=BEN).then()

    def test_the_plan_limits_the_keys_that_are_not_revoked(self) -> None:
        two = (on(stream_of_key(k), _with(key_id=k)) for k in ("one", "two"))
        full = (*ACME_HERE, *two)
        limits = {"what": "api_keys", "limit": 2, "used": 2}
        given(*full).when(create()).then_refused(PlanLimitReached, **limits)
        revoked = on(stream_of_key("one"), ApiKeyRevoked())
        assert given(*full, revoked).when(create()).refused is None

    def test_keys_that_have_expired_give_their_places_back(self) -> None:
        later, other = NOW + 90 * DAY, stream_of_key("other")
        made = ApiKeyCreated(**{**_fields(CREATED), "key_id": "other", "expires_at": later + DAY})
        full = given(*HERE, on(other, made))
        asked = create(key_id="third", expired=(KEY, other), expires_at=later + DAY)
        third = {**_fields(CREATED), "key_id": "third", "created_at": later}
        created = ApiKeyCreated(**{**third, "expires_at": later + DAY})

        full.when(asked, by=BEN, now=later).then(
            on(KEY, ApiKeyExpired()), on(stream_of_key("third"), created)
        )
        asked = replace(asked, expires_at=later)
        early: dict[str, Any] = {"by": BEN, "now": later - timedelta(seconds=1)}
        full.when(asked, **early).then_refused(PlanLimitReached, what="api_keys")

    def test_a_key_whose_place_is_taken_is_gone(self) -> None:
        here = (*HERE, on(KEY, ApiKeyExpired()))
        given(*here).when(RevokeApiKey(api_key_id=KEY), by=BEN).then_refused(NotFound)
        again = create(key_id="third", expired=(KEY,))
        given(*here).when(again, by=BEN).then(
            on(stream_of_key("third"), ApiKeyCreated(**{**_fields(CREATED), "key_id": "third"}))
        )

    def test_a_stranger_finds_no_organization(self) -> None:
        given(*HERE).when(create(), by=DAN).then_refused(NotFound)


class TestChangingAnApiKey:
    def test_an_edit_records_what_changes(self) -> None:
        asked = EditApiKey(api_key_id=KEY, name="CI", networks=("192.0.2.0/24", "::/0"))
        expected = ApiKeyUpdated(networks="192.0.2.0/24,::/0")
        given(*HERE).when(asked, by=BEN).then(on(KEY, expected))
        given(*HERE).when(asked, by=ANA).then(on(KEY, expected))

    def test_only_the_creator_rotates_a_key(self) -> None:
        asked = RotateApiKey(api_key_id=KEY, hash="two", last4="zyxw")
        rotated = ApiKeyRotated(
            hash="two",
            last4="zyxw",
            rotated_at=NOW,
            expires_at=NOW + 90 * DAY,
            old_valid_until=NOW + DAY,
        )
        given(*HERE).when(asked, by=BEN).then(on(KEY, rotated))
        given(*HERE).when(asked, by=ANA).then_refused(NotPermitted)

    def test_an_admin_revokes_the_keys_of_others(self) -> None:
        for by in (ANA, BEN):
            given(*HERE).when(RevokeApiKey(api_key_id=KEY), by=by).then(on(KEY, ApiKeyRevoked()))

    def test_an_expired_key_can_still_be_revoked(self) -> None:
        late: dict[str, Any] = {"by": BEN, "now": NOW + 90 * DAY}
        given(*HERE).when(EditApiKey(api_key_id=KEY, name="Two"), **late).then_refused(ApiKeyIsOver)
        given(*HERE).when(RevokeApiKey(api_key_id=KEY), **late).then(ApiKeyRevoked())

    @pytest.mark.parametrize("by", [CLEO, DAN])
    def test_others_find_no_key(self, by: UUID) -> None:
        for command in every(KEY):
            given(*HERE).when(command, by=by).then_refused(NotFound)

    @pytest.mark.parametrize("key", [ENG, UUID(int=99)])
    def test_what_is_no_key_is_not_found(self, key: UUID) -> None:
        for command in every(ApiKeyId(key)):
            given(*HERE).when(command).then_refused(NotFound)

    def test_a_key_of_another_organization_is_not_found(self) -> None:
        theirs = on(stream_of_key("theirs"), _with(key_id="theirs", created_by=ANA), org_id=OTHER)
        for command in every(stream_of_key("theirs")):
            given(*ACME_HERE, *STRANGERS, theirs).when(command).then_refused(NotFound)


class TestCommandsByAKey:
    """What is decided where the events are recorded; the API only knows the key behind it."""

    def by_key(self, *scopes: Permission) -> dict[str, Any]:
        return {"scopes": frozenset(scopes), "on_behalf_of": BEN, "by": KEY}

    def test_a_scope_grants_what_the_role_grants_too(self) -> None:
        retitled = EditTask(task_id=TASK, title="New")
        story = given(*HERE).when(retitled, **self.by_key(Permission.TASK_EDIT))

        story.then(TaskRetitled(from_="Oil it", to="New"))

    def test_without_the_scope_it_is_refused(self) -> None:
        story = given(*HERE).when(
            EditTask(task_id=TASK, title="New"), **self.by_key(Permission.TASK_READ)
        )
        story.then_refused(ScopeMissing, needs="task:edit")

    def test_a_scope_for_own_tasks_deletes_no_others(self) -> None:
        deleted = DeleteTask(task_id=TASK)
        story = given(*HERE).when(deleted, **self.by_key(Permission.TASK_DELETE_OWN))
        story.then_refused(NotPermitted)

    @pytest.mark.parametrize(
        "command",
        [
            create(key_id="more"),
            RevokeApiKey(api_key_id=KEY),
            ChangePlan(organization_id=ACME, plan=Plan.PREMIUM),
            SwitchOrganization(organization_id=ACME),
        ],
    )
    def test_what_is_left_to_people_is_refused(self, command: Command) -> None:
        everything = self.by_key(*Permission) | {"on_behalf_of": ANA}
        given(*HERE).when(command, **everything).then_refused(NotForApiKeys)


def every(key: ApiKeyId) -> list[Command]:
    return [
        EditApiKey(api_key_id=key, name="Two"),
        RotateApiKey(api_key_id=key, hash="two", last4="zyxw"),
        RevokeApiKey(api_key_id=key),
    ]


def _fields(event: ApiKeyCreated) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def _with(**about: Any) -> ApiKeyCreated:
    return ApiKeyCreated(**{**_fields(CREATED), **about})
