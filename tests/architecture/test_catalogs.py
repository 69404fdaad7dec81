"""Every event, error and command is complete, and the generated pages are up to date."""

import inspect
from collections import Counter

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


@pytest.mark.parametrize("error", ERRORS)
def test_every_rule_that_refuses_has_a_code_a_message_and_a_status(
    error: type[DomainError],
) -> None:
    from api.http.errors import STATUS

    assert error.code
    assert (inspect.getdoc(error) or "").endswith(".")
    assert error.__doc__ != DomainError.__doc__
    assert 400 <= STATUS[error.refusal] < 500


def test_every_kind_of_refusal_has_a_status_of_its_own() -> None:
    from api.http.errors import STATUS

    assert set(STATUS) == set(Refusal)
    assert len(set(STATUS.values())) == len(STATUS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_and_what_it_needs(command: type[Command]) -> None:
    needs = command.needs

    assert needs is None or isinstance(needs, Permission)
    assert command.records
    assert "__doc__" in vars(command)
    assert (inspect.getdoc(command) or "").partition("\n\n")[0].rstrip().endswith(".")


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_a_meaning_and_a_name_of_its_own(event: type[Event]) -> None:
    assert "__doc__" in vars(event)
    assert (inspect.getdoc(event) or "").partition("\n\n")[0].rstrip().endswith(".")
    assert EVENT_TYPES[tag_of(event)] is event
    assert Counter(tag_of(other) for other in EVENTS)[tag_of(event)] == 1


def test_events_that_no_command_records_are_listed_on_the_behaviours_page() -> None:
    page = (REFERENCE / "behaviours.md").read_text(encoding="utf-8")

    assert all(f"`{tag}`" in page for tag in unrecorded(COMMANDS))
