"""Stories of the commands on webhooks."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import Command, NotPermitted
from commands.hooks.webhook import (
    CreateWebhook,
    DeleteWebhook,
    DisableWebhook,
    EditWebhook,
    PauseWebhook,
    ReplayWebhook,
    RestoreWebhook,
    ResumeWebhook,
    RotateWebhookSecret,
)
from domain.base import NotFound, WebhookId
from domain.hooks.webhook.errors import ReplayRangeNotAllowed, SubscriptionNotAllowed
from domain.hooks.webhook.events import (
    DeliveryMode,
    PauseCause,
    WebhookCreated,
    WebhookDeleted,
    WebhookPaused,
    WebhookReplayRequested,
    WebhookRestored,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookUpdated,
)
from tests.commands.acme import HERE as ACME_HERE
from tests.domain.spec import BEN, CLEO, DAN, ENG, NOW, OTHER
from tests.spec import given, on

HOOK, THEIRS = WebhookId(UUID(int=71)), WebhookId(UUID(int=72))
CREATED = WebhookCreated(
    url="https://example.com/", events=("task.*",), mode=DeliveryMode.ORDERED, from_seq=7
)
HERE = (*ACME_HERE, on(HOOK, CREATED), on(THEIRS, CREATED, org_id=OTHER))
PAUSED, GONE = on(HOOK, WebhookPaused(cause=PauseCause.MANUAL)), on(HOOK, WebhookDeleted())


def create(**about: Any) -> CreateWebhook:
    details: dict[str, Any] = {
        "webhook_id": HOOK,
        "url": "https://example.com/",
        "events": ("task.*",),
        "from_seq": 7,
        "sealed_secret": b"one",
    }
    return CreateWebhook(**(details | about))


class TestCreateWebhook:
    def test_creating_a_webhook_stores_its_secret_next_to_the_log(self) -> None:
        story = given(*ACME_HERE).when(create())

        story.then(on(HOOK, CREATED))
        assert story.secrets[HOOK] == {"webhook.1": b"one"}

    def test_a_new_webhook_has_the_requested_values(self) -> None:
        created = replace(CREATED, mode=DeliveryMode.PARALLEL, description="Chat")
        asked = create(mode=DeliveryMode.PARALLEL, description="Chat")
        given(*ACME_HERE).when(asked).then(on(HOOK, created))

    def test_creating_a_webhook_again_records_nothing(self) -> None:
        given(*HERE).when(create(sealed_secret=b"two")).then()

    @pytest.mark.parametrize("pattern", ["task.unheard_of", "no.such", "task", ""])
    def test_is_refused_for_events_that_do_not_exist(self, pattern: str) -> None:
        asked = create(events=("task.*", pattern))
        given(*ACME_HERE).when(asked).then_refused(SubscriptionNotAllowed, unknown=[pattern])

    def test_a_webhook_cannot_take_the_id_of_another_organizations(self) -> None:
        given(*HERE).when(create(webhook_id=THEIRS)).then_refused(NotFound)


class TestEditWebhook:
    def test_an_edit_records_only_what_changes(self) -> None:
        asked = EditWebhook(webhook_id=HOOK, url=CREATED.url, events=("*",), description="Why")
        given(*HERE).when(asked).then(
            on(HOOK, WebhookUpdated(events=("*",), description="Why")),
        )

    def test_an_edit_without_changes_records_nothing(self) -> None:
        asked = EditWebhook(webhook_id=HOOK, mode=DeliveryMode.ORDERED, description=None)
        given(*HERE).when(asked).then()

    def test_is_refused_for_events_that_do_not_exist(self) -> None:
        asked = EditWebhook(webhook_id=HOOK, events=("no.such",))
        given(*HERE).when(asked).then_refused(SubscriptionNotAllowed)


class TestRotateWebhookSecret:
    def test_a_rotation_stores_the_new_secret_under_the_next_version(self) -> None:
        story = given(*HERE).when(RotateWebhookSecret(webhook_id=HOOK, sealed_secret=b"two"))

        until = NOW + timedelta(hours=24)
        story.then(WebhookSecretRotated(secret_version=2, old_valid_until=until))
        assert story.secrets[HOOK] == {"webhook.2": b"two"}


class TestPausingAWebhook:
    def test_a_pause_is_recorded_once(self) -> None:
        asked = PauseWebhook(webhook_id=HOOK)
        given(*HERE).when(asked).then(WebhookPaused(cause=PauseCause.MANUAL))
        given(*HERE, PAUSED).when(asked).then()

    def test_a_resume_is_recorded_once(self) -> None:
        asked = ResumeWebhook(webhook_id=HOOK)
        given(*HERE, PAUSED).when(asked).then(WebhookResumed())
        given(*HERE).when(asked).then()

    @pytest.mark.parametrize("cause", [PauseCause.GONE, PauseCause.FAILING])
    def test_a_rule_can_pause_a_webhook(self, cause: PauseCause) -> None:
        asked = DisableWebhook(webhook_id=HOOK, cause=cause)
        given(*HERE).when(asked, by=UUID(int=0)).then(WebhookPaused(cause=cause))


class TestReplayWebhook:
    def test_a_replay_records_the_requested_range(self) -> None:
        asked = ReplayWebhook(webhook_id=HOOK, from_seq=1, to_seq=7)
        given(*HERE).when(asked).then(WebhookReplayRequested(from_seq=1, to_seq=7))

    @pytest.mark.parametrize("span", [(0, 1), (3, 2), (-1, -1)])
    def test_a_malformed_replay_range_is_refused(self, span: tuple[int, int]) -> None:
        asked = ReplayWebhook(webhook_id=HOOK, from_seq=span[0], to_seq=span[1])
        given(*HERE).when(asked).then_refused(ReplayRangeNotAllowed)


class TestDeletingAWebhook:
    def test_a_deleted_webhook_is_in_the_trash(self) -> None:
        given(*HERE).when(DeleteWebhook(webhook_id=HOOK)).then(on(HOOK, WebhookDeleted()))

    def test_a_restore_is_recorded_once(self) -> None:
        asked = RestoreWebhook(webhook_id=HOOK)
        given(*HERE, GONE).when(asked).then(WebhookRestored())
        given(*HERE).when(asked).then()


def every(hook: UUID) -> list[Command]:
    at: dict[str, Any] = {"webhook_id": hook}
    return [
        EditWebhook(url="https://example.org/", **at),
        RotateWebhookSecret(sealed_secret=b"two", **at),
        PauseWebhook(**at),
        ResumeWebhook(**at),
        ReplayWebhook(from_seq=1, to_seq=1, **at),
        DeleteWebhook(**at),
        RestoreWebhook(**at),
    ]


class TestEveryWebhookCommand:
    @pytest.mark.parametrize("command", [create(), *every(HOOK)])
    def test_webhook_commands_are_refused_below_admin(self, command: Command) -> None:
        for by in (BEN, CLEO):
            given(*HERE).when(command, by=by).then_refused(NotPermitted)

    @pytest.mark.parametrize("command", [create(), *every(HOOK)])
    def test_webhook_commands_find_nothing_for_a_stranger(self, command: Command) -> None:
        given(*HERE).when(command, by=DAN).then_refused(NotFound)

    @pytest.mark.parametrize("hook", [THEIRS, ENG, UUID(int=99)])
    def test_webhook_commands_find_nothing_in_another_organization(self, hook: UUID) -> None:
        for command in every(hook):
            given(*HERE).when(command).then_refused(NotFound)

    @pytest.mark.parametrize("command", every(HOOK)[:-1])
    def test_only_restoring_finds_a_deleted_webhook(self, command: Command) -> None:
        given(*HERE, GONE).when(command).then_refused(NotFound)
