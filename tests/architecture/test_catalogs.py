"""Every event, error and command is complete, and the generated pages are up to date."""

import inspect
from collections.abc import Sequence

import pytest

from commands.base import Command
from domain.base import DomainError, Event, Refusal
from domain.catalog import EVENT_TYPES, tag_of
from domain.permission import Permission
from tools.behaviours import unrecorded
from tools.catalog import PAGES, REFERENCE
from tools.discover import leaves

COMMANDS = leaves(Command, "commands")
ERRORS = leaves(DomainError, "domain", "commands")
EVENTS = leaves(Event, "domain")


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    written = REFERENCE / page

    assert written.exists(), f"docs/reference/{page} is missing: run `make docs`"
    assert written.read_text(encoding="utf-8") == PAGES[page](), "stale: run `make docs`"


def test_every_rule_that_refuses_has_a_message_of_its_own_and_a_status() -> None:
    from api.http.errors import STATUS

    assert [error for error in ERRORS if STATUS[error.refusal] not in range(400, 500)] == []
    assert [error for error in ERRORS if error.__doc__ == DomainError.__doc__] == []
    assert [error for error in ERRORS if not (inspect.getdoc(error) or "").endswith(".")] == []


def test_every_kind_of_refusal_has_a_status_of_its_own() -> None:
    from api.http.errors import STATUS

    assert set(STATUS) == set(Refusal)
    assert len(set(STATUS.values())) == len(STATUS)


def test_every_command_says_what_it_does_what_it_needs_and_what_it_records() -> None:
    needs = [command.needs for command in COMMANDS]

    assert _without_summary(COMMANDS) == []
    assert [needed for needed in needs if needed not in {None, *Permission}] == []
    assert [command for command in COMMANDS if not command.records] == []


def test_every_event_has_a_meaning_and_a_name_of_its_own() -> None:
    assert _without_summary(EVENTS) == []
    assert [event for event in EVENTS if EVENT_TYPES[tag_of(event)] is not event] == []


def test_events_that_no_command_records_are_listed_on_the_behaviours_page() -> None:
    page = (REFERENCE / "behaviours.md").read_text(encoding="utf-8")

    assert all(f"`{tag}`" in page for tag in unrecorded(COMMANDS))


def _without_summary(kinds: Sequence[type]) -> list[type]:
    """Return the classes whose own docstring does not begin with a sentence."""
    return [
        kind
        for kind in kinds
        if "__doc__" not in vars(kind)
        or not (inspect.getdoc(kind) or "").partition("\n\n")[0].rstrip().endswith(".")
    ]
