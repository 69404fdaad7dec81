"""The catalog is complete, and every entry has a description."""

import importlib
import pkgutil
import re
from enum import StrEnum
from typing import Any, Union

import msgspec
from hypothesis import given as forall
from hypothesis import settings

import domain
from domain.base import DomainError, Event
from domain.catalog import EVENT_TYPES, PUBLIC_EVENT_TYPES, events_covered_by, tag_of
from domain.enums import ENUMS
from domain.hooks.webhook.state import EVENT_PATTERN
from tests.domain.spec import QUICK, events_of

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(domain.__path__, "domain.")
]


def defined(base: type[Any]) -> list[type[Any]]:
    """Return the subclasses of *base* that the domain defines, each once."""
    return [
        item
        for module in MODULES
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, base)
        and item is not base
        and item.__module__ == module.__name__
    ]


AnyEvent: Any = Union[tuple(EVENT_TYPES.values())]  # noqa: UP007  of events found at run time
ERRORS = defined(DomainError)
MESSAGE_MAX = 120
"""Characters that a reader takes in at a glance."""


def test_every_event_of_the_domain_is_in_the_catalog_under_its_own_name() -> None:
    assert set(defined(Event)) == set(EVENT_TYPES.values())
    assert all(tag_of(event) == tag for tag, event in EVENT_TYPES.items())
    assert list(EVENT_TYPES) == sorted(EVENT_TYPES)


def test_every_event_is_frozen_and_has_a_dotted_name() -> None:
    odd = [tag for tag in EVENT_TYPES if "*" in tag or not re.fullmatch(EVENT_PATTERN, tag)]

    assert odd == []
    assert [kind for kind in EVENT_TYPES.values() if not kind.__struct_config__.frozen] == []


@settings(QUICK, max_examples=100)
@forall(events_of(AnyEvent))
def test_an_event_survives_a_round_trip_through_json(event: Event) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=AnyEvent) == event


def test_a_pattern_matches_the_events_it_names() -> None:
    assert events_covered_by("*") == tuple(PUBLIC_EVENT_TYPES)
    assert events_covered_by("task.created") == ("task.created",)
    assert set(events_covered_by("task.*")) == {t for t in EVENT_TYPES if t.startswith("task.")}
    assert events_covered_by("task.exploded") == events_covered_by("toast.*") == ()


def test_webhooks_deliver_neither_claims_nor_events_of_accounts() -> None:
    internal = set(EVENT_TYPES) - set(PUBLIC_EVENT_TYPES)

    assert {tag.partition(".")[0] for tag in internal} == {"user", "session", "inbox"}
    assert events_covered_by("user.registered") == ()


def test_every_error_has_a_short_message_and_a_code_in_one_spelling() -> None:
    texts = {error: str(error()) for error in ERRORS}

    assert [error for error, text in texts.items() if not text.endswith(".")] == []
    assert [error for error, text in texts.items() if len(text) > MESSAGE_MAX] == []
    assert [error for error in ERRORS if not re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)] == []


def test_every_enumeration_of_the_domain_is_listed() -> None:
    inside = {"Barred", "Countable"}  # codes of refusals, and what a plan counts
    shown = {kind for kind in defined(StrEnum) if kind.__name__ not in inside}
    assert set(ENUMS.values()) == shown
    assert list(ENUMS) == sorted(ENUMS)
