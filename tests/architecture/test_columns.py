"""The file name is the slice: what is about a task is in */task.py."""

import importlib
from pathlib import Path

import pytest

from domain.base import Event
from tests.architecture.house import ROOT

FLOORS = ("commands", "projections", "api")

BESIDE = {
    "claim": "an index beside other aggregates: their commands take and free claims",
    "membership": "the members of an organization; its rules are in domain/organization.py",
}
"""Files of the domain that have events and yet are no column of their own."""

ELSEWHERE = {
    ("projections", "audit"): "the audit log is the event stream itself: audit/trail.py reads it",
    ("api", "session"): "logging in and out is one story with accounts: api/auth.py",
    ("api", "user"): "an account is reached through its owner's login: api/auth.py, api/account.py",
}
"""Columns whose floor has another name, or none, each with the reason."""


def columns() -> list[str]:
    """Return the aggregates of the domain: its modules that define events."""
    found: list[str] = []
    for path in sorted((ROOT / "domain").glob("*.py")):
        module = importlib.import_module(f"domain.{path.stem}")
        events = [
            item
            for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Event) and item is not Event
        ]
        if any(event.__module__ == module.__name__ for event in events):
            found.append(path.stem)
    return found


COLUMNS = [column for column in columns() if column not in BESIDE]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("floor", FLOORS)
def test_a_column_has_its_file_on_every_floor(floor: str, column: str) -> None:
    here = _stands(ROOT / floor / column)

    assert here != ((floor, column) in ELSEWHERE), "an exception must be one, and be needed"


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_has_its_rules_and_stories_told(column: str) -> None:
    told = [ROOT / "tests" / floor / f"test_{column}.py" for floor in ("domain", "commands")]

    assert any(path.exists() for path in told)


def test_no_exception_is_about_a_column_that_does_not_exist() -> None:
    assert set(BESIDE) <= set(columns())
    assert {column for _, column in ELSEWHERE} <= set(COLUMNS)
    assert {floor for floor, _ in ELSEWHERE} <= set(FLOORS)


def _stands(path: Path) -> bool:
    """Say whether a module or a package of that name is there."""
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()
