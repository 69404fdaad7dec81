"""A webhook: what it subscribes to, how it signs, when it is paused."""

import msgspec
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.hooks.webhook.errors import ReplayRangeNotAllowed, SubscriptionNotAllowed
from domain.hooks.webhook.events import (
    DeliveryMode,
    PauseCause,
    WebhookCreated,
    WebhookDeleted,
    WebhookEvent,
    WebhookPaused,
    WebhookReplayRequested,
    WebhookRestored,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookUpdated,
)
from domain.hooks.webhook.state import Webhook
from tests.domain.spec import (
    DAY,
    NOW,
    QUICK,
    Decision,
    check_refused,
    check_repeating_records_nothing,
    events_of,
    given,
)

CREATED = WebhookCreated(
    url="https://example.com/hook",
    events=("task.*", "project.created"),
    mode=DeliveryMode.ORDERED,
    from_seq=7,
)
HOOK = given(Webhook(), CREATED)
PAUSED = given(HOOK, WebhookPaused(cause=PauseCause.FAILING))
DELETED = given(PAUSED, WebhookDeleted())


def test_a_new_webhook_is_active_with_its_first_secret() -> None:
    assert Webhook().create(CREATED) == [CREATED]
    assert HOOK.create(CREATED) == []
    assert (HOOK.url, HOOK.from_seq, HOOK.paused) == ("https://example.com/hook", 7, None)
    assert HOOK.secret_versions(NOW) == (1,)


@pytest.mark.parametrize(
    ("patterns", "tag", "heard"),
    [
        (("*",), "task.created", True),
        (("task.*",), "task.created", True),
        (("task.created",), "task.created", True),
        (("task.created",), "task.deleted", False),
        (("task.*",), "task_number.claimed", False),
        (("project.*", "task.deleted"), "task.deleted", True),
    ],
)
def test_a_webhook_is_subscribed_to_what_its_patterns_match(
    patterns: tuple[str, ...], tag: str, heard: bool
) -> None:
    assert given(HOOK, WebhookUpdated(events=patterns)).is_subscribed_to(tag) is heard


@pytest.mark.parametrize(
    "patterns",
    [
        (),
        ("",),
        ("task",),
        ("task.",),
        ("*.created",),
        ("Task.created",),
        ("task.*", "a b.c"),
        ("task.created\n",),
        ("**",),
        ("task.a.b",),
    ],
)
def test_an_empty_or_malformed_subscription_is_refused(patterns: tuple[str, ...]) -> None:
    with pytest.raises(SubscriptionNotAllowed):
        HOOK.update(events=patterns)
    with pytest.raises(SubscriptionNotAllowed):
        Webhook().create(msgspec.structs.replace(CREATED, events=patterns))


def test_an_update_records_only_what_changed() -> None:
    events = HOOK.update(url="https://example.com/new", mode=DeliveryMode.ORDERED)

    assert events == [WebhookUpdated(url="https://example.com/new")]
    assert msgspec.to_builtins(events[0]) == {
        "type": "webhook.updated",
        "url": "https://example.com/new",
    }
    assert given(HOOK, *events) == msgspec.structs.replace(HOOK, url="https://example.com/new")


def test_removing_a_description_differs_from_omitting_it() -> None:
    described = given(HOOK, *HOOK.update(description="Billing"))

    assert described.description == "Billing"
    assert described.update() == []
    assert described.update(description=None) == [WebhookUpdated(description=None)]
    assert given(described, WebhookUpdated(description=None)).description is None


def test_after_a_rotation_both_secrets_sign_for_a_while() -> None:
    rotated = given(HOOK, *HOOK.rotate_secret(NOW + DAY))

    assert HOOK.rotate_secret(NOW + DAY) == [
        WebhookSecretRotated(secret_version=2, old_valid_until=NOW + DAY)
    ]
    assert rotated.secret_versions(NOW) == (2, 1)
    assert rotated.secret_versions(NOW + DAY) == (2,)


def test_every_secret_signs_until_its_own_time_however_often_it_is_rotated() -> None:
    once = given(HOOK, *HOOK.rotate_secret(NOW + DAY))

    twice = given(once, *once.rotate_secret(NOW + 2 * DAY))

    assert twice.secret_versions(NOW) == (3, 2, 1)
    assert twice.secret_versions(NOW + DAY) == (3, 2)
    assert twice.secret_versions(NOW + 2 * DAY) == (3,)


def test_no_more_than_five_secrets_sign() -> None:
    webhook = HOOK
    for _ in range(9):
        webhook = given(webhook, *webhook.rotate_secret(NOW + DAY))

    assert webhook.secret_versions(NOW) == (10, 9, 8, 7, 6)


def test_a_paused_webhook_keeps_its_first_cause_until_it_is_resumed() -> None:
    assert HOOK.pause(PauseCause.GONE) == [WebhookPaused(cause=PauseCause.GONE)]
    assert PAUSED.paused is PauseCause.FAILING
    assert PAUSED.pause(PauseCause.MANUAL) == []
    assert PAUSED.resume() == [WebhookResumed()]
    assert given(PAUSED, WebhookResumed()) == HOOK
    assert HOOK.resume() == []


def test_a_replay_records_its_first_and_last_event() -> None:
    assert HOOK.replay(1, 1) == [WebhookReplayRequested(from_seq=1, to_seq=1)]
    assert given(HOOK, *HOOK.replay(3, 9)) == HOOK
    for first, last in ((0, 5), (5, 4)):
        with pytest.raises(ReplayRangeNotAllowed):
            HOOK.replay(first, last)


def test_a_deleted_webhook_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        DELETED.delete,
        DELETED.resume,
        lambda: DELETED.pause(PauseCause.MANUAL),
        lambda: DELETED.update(url="https://example.com"),
        lambda: DELETED.rotate_secret(NOW),
        lambda: DELETED.replay(1, 2),
        Webhook().delete,
        Webhook().restore,
    )
    assert DELETED.restore() == [WebhookRestored()]
    assert given(DELETED, WebhookRestored()) == PAUSED
    assert HOOK.restore() == []
    assert HOOK.delete() == [WebhookDeleted()]


@QUICK
@forall(st.lists(events_of(WebhookEvent), max_size=12))
def test_folding_never_raises(events: list[WebhookEvent]) -> None:
    assert isinstance(given(Webhook(), *events), Webhook)


STEPS = st.tuples(
    st.sampled_from(["https://a.example", "https://b.example"]),
    st.sampled_from([("*",), ("task.*",), ()]),
    st.sampled_from(list(DeliveryMode)),
).flatmap(
    lambda drawn: st.sampled_from(
        [
            lambda w: w.create(CREATED),
            lambda w: w.update(url=drawn[0]),
            lambda w: w.update(events=drawn[1], description=drawn[0]),
            lambda w: w.update(mode=drawn[2], description=None),
            lambda w: w.pause(PauseCause.MANUAL),
            lambda w: w.resume(),
            lambda w: w.delete(),
            lambda w: w.restore(),
        ]
    )
)


@QUICK
@forall(st.lists(STEPS, max_size=15))
def test_repeating_a_decision_records_nothing(steps: list[Decision]) -> None:
    check_repeating_records_nothing(Webhook(), steps)
