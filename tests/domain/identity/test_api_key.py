"""Rules of an API key."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from domain.base import NotFound
from domain.identity.api_key.errors import ApiKeyIsOver, ExpiryNotAllowed, ScopeNotAllowed
from domain.identity.api_key.events import (
    ApiKeyCreated,
    ApiKeyEvent,
    ApiKeyRevoked,
    ApiKeyRotated,
    ApiKeyUpdated,
)
from domain.identity.api_key.state import LIFETIME_MAX, OLD_KEY_LIFETIME, ApiKey, stream_of_key
from tests.domain.spec import ANA, DAY, NOW, SECOND, check_refused, events_of, given, outcome

ALLOWED = {"task:read", "task:edit"}


def created(**about: Any) -> ApiKeyCreated:
    details: dict[str, Any] = {
        "name": "CI",
        "key_id": "abc",
        "hash": "one",
        "last4": "wxyz",
        "scopes": ("task:read",),
        "networks": "192.0.2.0/24,2001:db8::/32",
        "expires_at": NOW + 90 * DAY,
        "created_by": ANA,
        "created_at": NOW,
    }
    return ApiKeyCreated(**(details | about))


KEY = given(ApiKey(), created())
REVOKED = given(KEY, ApiKeyRevoked())
END = NOW + 90 * DAY


def test_a_key_has_the_requested_values() -> None:
    assert KEY.networks == ("192.0.2.0/24", "2001:db8::/32")
    assert given(ApiKey(), created(networks="")).networks == ()
    assert (KEY.hash, KEY.expires_at, KEY.created_by) == ("one", END, ANA)


def test_creating_a_key_again_records_nothing() -> None:
    assert ApiKey().create(created(), allowed=ALLOWED, now=NOW) == [created()]
    assert KEY.create(created(), allowed=ALLOWED, now=NOW) == []


@pytest.mark.parametrize(
    ("scopes", "refused"), [((), []), (("task:read", "task:force", "a:b"), ["a:b", "task:force"])]
)
def test_a_key_has_at_least_one_scope_and_only_allowed_ones(
    scopes: tuple[str, ...], refused: list[str]
) -> None:
    with pytest.raises(ScopeNotAllowed) as refusal:
        ApiKey().create(created(scopes=scopes), allowed=ALLOWED, now=NOW)

    assert refusal.value.details == {"refused": refused}


@pytest.mark.parametrize("at", [NOW - SECOND, NOW, NOW + LIFETIME_MAX + SECOND])
def test_a_key_expires_in_the_future_and_within_a_year(at: datetime) -> None:
    with pytest.raises(ExpiryNotAllowed):
        ApiKey().create(created(expires_at=at), allowed=ALLOWED, now=NOW)


def test_the_longest_lifetime_is_a_year() -> None:
    longest = created(expires_at=NOW + LIFETIME_MAX)
    assert ApiKey().create(longest, allowed=ALLOWED, now=NOW) == [longest]


def test_an_update_records_only_what_changes() -> None:
    same, other = KEY.networks, ("::/0",)
    assert KEY.update(now=NOW, name="CI", networks=same) == []
    assert KEY.update(now=NOW, name="Two", networks=same) == [ApiKeyUpdated(name="Two")]
    assert KEY.update(now=NOW, networks=other) == [ApiKeyUpdated(networks="::/0")]
    assert KEY.update(now=NOW, networks=()) == [ApiKeyUpdated(networks="")]
    assert given(KEY, ApiKeyUpdated(networks="")).networks == ()
    assert given(KEY, ApiKeyUpdated(name="Two")).networks == KEY.networks


def test_a_rotated_key_lives_as_long_as_a_new_one_and_the_old_one_for_a_day() -> None:
    later = NOW + 30 * DAY
    [rotated] = KEY.rotate("two", "zyxw", now=later)

    assert rotated == ApiKeyRotated(
        hash="two",
        last4="zyxw",
        rotated_at=later,
        expires_at=later + 90 * DAY,
        old_valid_until=later + OLD_KEY_LIFETIME,
    )
    after = given(KEY, rotated)
    assert after.hashes(later + OLD_KEY_LIFETIME - SECOND) == ("two", "one")
    assert after.hashes(later + OLD_KEY_LIFETIME) == ("two",)
    [again] = after.rotate("three", "aaaa", now=later + DAY)
    assert isinstance(again, ApiKeyRotated)
    assert again.expires_at == later + DAY + 90 * DAY


def test_an_old_key_does_not_outlive_its_own_expiry() -> None:
    [rotated] = KEY.rotate("two", "zyxw", now=END - SECOND)

    assert isinstance(rotated, ApiKeyRotated)
    assert rotated.old_valid_until == END


def test_rotating_to_the_same_key_records_nothing() -> None:
    assert KEY.rotate("one", "wxyz", now=NOW) == []


def test_an_expired_key_can_only_be_revoked() -> None:
    check_refused(
        ApiKeyIsOver,
        lambda: KEY.update(now=END, name="Two"),
        lambda: KEY.rotate("two", "zyxw", now=END),
    )
    assert not KEY.is_expired(END - SECOND)
    assert KEY.is_expired(END)
    assert KEY.revoke() == [ApiKeyRevoked()]


@pytest.mark.parametrize("key", [REVOKED, ApiKey()])
def test_a_revoked_key_is_gone(key: ApiKey) -> None:
    check_refused(
        NotFound,
        lambda: key.update(now=NOW, name="Two"),
        lambda: key.rotate("two", "zyxw", now=NOW),
        key.revoke,
    )


def test_the_stream_of_a_key_follows_from_its_public_id() -> None:
    assert stream_of_key("abc") == stream_of_key("abc") != stream_of_key("abd")


@examples(st.lists(events_of(ApiKeyEvent)))
def test_no_sequence_of_events_breaks_the_fold(events: list[ApiKeyEvent]) -> None:
    key = given(ApiKey(), *events)

    outcome(lambda state: state.update(now=NOW, name="Two"), key)
    assert set(key.hashes(NOW)) <= {key.hash, key.old_hash}
