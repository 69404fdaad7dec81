"""The page for newcomers names only files that exist, and the lists it relies on are complete."""

import re

import pytest
from litestar import Controller

from api.app import ROUTES
from domain.base import Event
from domain.catalog import STATES
from projections.base import AggregateProjection, Projection
from projections.catalog import PROJECTIONS
from tests.architecture.sources import ROOT
from tools.discover import leaves

PAGE = ROOT / "docs" / "how-to" / "find-your-way.md"

PATH = re.compile(r"`([\w.-]+(?:/[\w.-]*)+|[\w-]+\.(?:py|md|yml|toml))`( \*\(new\)\*)?")
TASKS = ("field", "aggregate", "list", "retried", "CSV", "setting", "CLI command", "error")
"""A word of the heading under which each kind of change is found."""

NAMED = [(path, bool(new)) for path, new in PATH.findall(PAGE.read_text(encoding="utf-8"))]


def test_every_file_that_the_page_names_exists() -> None:
    assert [path for path, new in NAMED if not new and not (ROOT / path).exists()] == []


def test_every_new_file_belongs_in_a_folder_that_exists() -> None:
    new = [ROOT / path for path, is_new in NAMED if is_new]

    assert new
    assert [path for path in new if path.exists() or not path.parent.is_dir()] == []


@pytest.mark.parametrize("word", TASKS)
def test_each_kind_of_change_has_a_heading(word: str) -> None:
    headings = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "## "]

    assert len([line for line in headings if word in line]) == 1


def test_everything_that_a_slice_defines_is_found() -> None:
    assert set(leaves(Event, "domain")) == {event for state in STATES for event in state.folds}
    assert set(leaves(Projection, "projections")) - {AggregateProjection} == {
        type(projection) for projection in PROJECTIONS
    }
    assert set(leaves(Controller, "api")) == set(ROUTES)


def test_a_slice_is_found_by_its_name() -> None:
    found = {str(path.relative_to(ROOT)) for path in ROOT.glob("*/work/task*")}

    assert found >= {
        "domain/work/task",
        "commands/work/task.py",
        "projections/work/task.py",
        "api/work/task.py",
    }
