"""Stories of the commands on webhooks."""

from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.hooks.webhook import (
    OLD_SECRET_LIFETIME,
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
    def test_subscribes_and_keeps_the_secret_beside(self) -> None:
        story = given(*ACME_HERE).when(create())

        story.then(on(HOOK, CREATED))
        assert story.secrets[HOOK] == {"webhook.1": b"one"}

    def test_a_second_time_is_the_retry_of_the_first(self) -> None:
        given(*HERE).when(create(sealed_secret=b"two")).then()

    @pytest.mark.parametrize("pattern", ["task.unheard_of", "no.such", "task", ""])
    def test_is_refused_for_events_that_do_not_exist(self, pattern: str) -> None:
        asked = create(events=("task.*", pattern))
        given(*ACME_HERE).when(asked).then_refused(SubscriptionNotAllowed, unknown=[pattern])

    def test_cannot_take_the_id_of_one_of_another_organization(self) -> None:
        given(*HERE).when(create(webhook_id=THEIRS)).then_refused(NotFound)


class TestEditWebhook:
    def test_records_only_what_changes(self) -> None:
        asked = EditWebhook(webhook_id=HOOK, url=CREATED.url, events=("*",), description="Why")
        given(*HERE).when(asked).then(
            on(HOOK, WebhookUpdated(events=("*",), description="Why")),
        )

    def test_records_nothing_when_all_is_so_already(self) -> None:
        asked = EditWebhook(webhook_id=HOOK, mode=DeliveryMode.ORDERED, description=None)
        given(*HERE).when(asked).then()

    def test_is_refused_for_events_that_do_not_exist(self) -> None:
        asked = EditWebhook(webhook_id=HOOK, events=("no.such",))
        given(*HERE).when(asked).then_refused(SubscriptionNotAllowed)


class TestRotateWebhookSecret:
    def test_keeps_the_new_one_under_the_next_version(self) -> None:
        story = given(*HERE).when(RotateWebhookSecret(webhook_id=HOOK, sealed_secret=b"two"))

        until = NOW + OLD_SECRET_LIFETIME
        story.then(WebhookSecretRotated(secret_version=2, old_valid_until=until))
        assert story.secrets[HOOK] == {"webhook.2": b"two"}


class TestPausingAWebhook:
    def test_is_recorded_once(self) -> None:
        asked = PauseWebhook(webhook_id=HOOK)
        given(*HERE).when(asked).then(WebhookPaused(cause=PauseCause.MANUAL))
        given(*HERE, PAUSED).when(asked).then()

    def test_ends_with_resuming_once(self) -> None:
        asked = ResumeWebhook(webhook_id=HOOK)
        given(*HERE, PAUSED).when(asked).then(WebhookResumed())
        given(*HERE).when(asked).then()

    @pytest.mark.parametrize("cause", [PauseCause.GONE, PauseCause.FAILING])
    def test_is_also_done_by_a_rule_that_is_nobody(self, cause: PauseCause) -> None:
        asked = DisableWebhook(webhook_id=HOOK, cause=cause)
        given(*HERE).when(asked, by=UUID(int=0)).then(WebhookPaused(cause=cause))


class TestReplayWebhook:
    def test_asks_for_a_range_again(self) -> None:
        asked = ReplayWebhook(webhook_id=HOOK, from_seq=1, to_seq=7)
        given(*HERE).when(asked).then(WebhookReplayRequested(from_seq=1, to_seq=7))

    @pytest.mark.parametrize("span", [(0, 1), (3, 2), (-1, -1)])
    def test_is_refused_for_what_is_no_range(self, span: tuple[int, int]) -> None:
        asked = ReplayWebhook(webhook_id=HOOK, from_seq=span[0], to_seq=span[1])
        given(*HERE).when(asked).then_refused(ReplayRangeNotAllowed)


class TestDeletingAWebhook:
    def test_puts_it_in_the_trash(self) -> None:
        given(*HERE).when(DeleteWebhook(webhook_id=HOOK)).then(on(HOOK, WebhookDeleted()))

    def test_can_be_taken_back_once(self) -> None:
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
    def test_is_refused_below_admin(self, command: Command) -> None:
        for by in (BEN, CLEO):
            given(*HERE).when(command, by=by).then_refused(NotPermitted)

    @pytest.mark.parametrize("command", [create(), *every(HOOK)])
    def test_finds_nothing_for_a_stranger(self, command: Command) -> None:
        given(*HERE).when(command, by=DAN).then_refused(NotFound)

    @pytest.mark.parametrize("hook", [THEIRS, ENG, UUID(int=99)])
    def test_finds_nothing_elsewhere(self, hook: UUID) -> None:
        for command in every(hook):
            given(*HERE).when(command).then_refused(NotFound)

    @pytest.mark.parametrize("command", every(HOOK)[:-1])
    def test_finds_nothing_in_the_trash_but_to_restore(self, command: Command) -> None:
        given(*HERE, GONE).when(command).then_refused(NotFound)
