"""The pages that add a command and a read model, and change an event, followed in a copy.

Their code is put where they say; a newcomer chooses the imports, as `IMPORTS` does here.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files

HOW_TO = ROOT / "docs" / "how-to"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATE, EVENTS = "domain/work/task/state.py", "domain/work/task/events.py"
COMMANDS, VIEWS, ROUTES = "commands/work/task.py", "projections/work/task.py", "api/work/task.py"
LISTS = "tests/domain/work/changes.py", "tests/api/http/command_bodies.py"
UNDO, ROWS = "commands/undo/task.py", "tests/commands/undo/task_rows.py"
STORIES, EXCHANGES = "tests/commands/work/test_task.py", "tests/api/work/test_task.py"
FOLLOWED_S = 120

IMPORTS = {
    STATE: "from domain.work.task.events import TaskProgressed",
    COMMANDS: "from typing import Annotated\nfrom msgspec import Meta\n"
    "from domain.work.task.events import TaskProgressed",
    UNDO: "from commands.work.task import RecordProgress\n"
    "from domain.work.task.events import TaskProgressed",
    ROWS: "from domain.work.task.events import TaskProgressed",
    ROUTES: "from typing import Annotated\nfrom msgspec import Meta\n"
    "from commands.work.task import RecordProgress",
    STORIES: "from commands.work.task import RecordProgress\n"
    "from domain.work.task.events import TaskProgressed",
}

pytestmark = [pytest.mark.acceptance, pytest.mark.servers]


class Copy:
    """A copy of the project, which a newcomer changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in files():
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)

    def insert(self, name: str, anchor: str, code: str, indent: int = 0) -> None:
        """Put *code* before the first *anchor* of a file."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert anchor in text, f"{name} has no {anchor!r}"
        code = textwrap.indent(code.rstrip("\n"), " " * indent) + "\n"
        (self.folder / name).write_text(text.replace(anchor, code + anchor, 1), encoding="utf-8")

    def append(self, name: str, code: str) -> None:
        """Put *code* at the end of a file."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write("\n\n" + code)

    def replace(self, name: str, pattern: str, new: str | Callable[[re.Match[str]], str]) -> None:
        """Replace the one place of a file that matches *pattern*."""
        text, found = re.subn(
            pattern, new, (self.folder / name).read_text(encoding="utf-8"), count=1
        )
        assert found, f"{name} has no {pattern!r}"
        (self.folder / name).write_text(text, encoding="utf-8")

    def import_in(self, name: str, lines: str) -> None:
        """Add imports to a file, before its first."""
        anchor = next(
            line
            for line in (self.folder / name).read_text(encoding="utf-8").splitlines()
            if line.startswith(("import ", "from "))
        )
        self.insert(name, anchor, lines)

    def python(self, *arguments: str) -> None:
        """Run Python in the copy, which has to succeed."""
        told = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=FOLLOWED_S,
            check=False,
        )
        assert told.returncode == 0, told.stdout[-5_000:] + told.stderr[-2_000:]

    def test(self, *tests: str) -> None:
        """Run tests of the copy."""
        self.python("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "project")


def blocks(page: str) -> list[str]:
    return BLOCK.findall((HOW_TO / page).read_text(encoding="utf-8"))


def inline(page: str, *patterns: str) -> list[str]:
    """Return the code within the text of a page that matches each of *patterns*."""
    found = re.findall(r"(?<!`)`([^`\n]+)`", (HOW_TO / page).read_text(encoding="utf-8"))
    return [next(code for code in found if re.fullmatch(each, code)) for each in patterns]


def test_a_command_is_added_by_the_words_of_the_page(copy: Copy) -> None:
    stories, event, fold, decision, example, *rest = blocks("add-a-command.md")
    command, inverse, row, body, route, exchange = rest
    attribute, shown, rendered, tried = inline(
        "add-a-command.md",
        r"percent: .* = None",
        r"percent: int \| None",
        "percent=.*",
        '"POST .*}',
    )
    for name, lines in IMPORTS.items():
        copy.import_in(name, lines)

    copy.append(STORIES, stories)
    copy.insert(EVENTS, "TaskEvent = (", event + "\n\n")
    copy.replace(EVENTS, r"TaskEvent = \(\n    TaskCreated", "\\g<0>\n    | TaskProgressed")
    copy.insert(STATE, "\n    def evolve(", attribute, 4)
    copy.insert(STATE, "    TaskPurged: lambda", fold.splitlines()[1])
    copy.insert(STATE, "    def retitle(", decision + "\n", 4)
    copy.replace(LISTS[0], r"WORK_CHANGES.* = \[\n", "\\g<0>    " + example.strip() + ",\n")
    copy.append(COMMANDS, command)
    copy.insert(UNDO, "    TaskPurged: NOT_BROUGHT_BACK", inverse.splitlines()[1])
    copy.replace(ROWS, r"TASK_ROWS.* = \[\n", "\\g<0>    " + row.strip() + ",\n")
    copy.insert(VIEWS, "    version: int\n    comments: int", shown, 4)
    copy.insert(VIEWS, "        version=version,", rendered + ",", 8)
    number = r"(class Tasks\([\s\S]*?version = )\d+"
    copy.replace(VIEWS, number, "\\g<1>999")
    copy.insert(ROUTES, "class TaskController(", body + "\n\n")
    copy.append(ROUTES, textwrap.indent(route, "    "))
    copy.append(EXCHANGES, exchange)
    copy.replace(LISTS[1], r"COMMANDS.* = \{\n", "\\g<0>    " + tried + ",\n")

    copy.python("-m", "tests.eventstore.examples")
    copy.python("-m", "tests.projections.test_fingerprints")
    copy.test(
        f"{STORIES}::TestRecordProgress",
        f"{EXCHANGES}::test_the_progress_of_a_task_is_shown",
        "tests/commands/undo/test_inverses.py",
        "tests/domain/test_field_keys.py",
        "tests/domain/test_catalog.py",
        "tests/eventstore/test_codec.py",
        "tests/projections/test_fingerprints.py",
    )


def test_an_event_is_changed_by_the_words_of_the_page(copy: Copy) -> None:
    step, story = blocks("change-an-event.md")
    stories = "tests/eventstore/test_golden.py"
    copy.replace("eventstore/upcasting.py", r"STEPS: dict.*\n", lambda _: step)
    copy.import_in(stories, "from domain.work.task.events import TaskEstimated")
    copy.append(stories, story)

    copy.python("-m", "tests.eventstore.examples")
    assert (copy.folder / "tests/eventstore/golden/task.estimated.2.json").exists()
    copy.test(stories, "tests/eventstore/test_codec.py", "tests/projections/work/test_task.py")


def test_a_read_model_is_added_by_the_words_of_the_page(copy: Copy) -> None:
    model, query = blocks("add-a-read-model.md")
    found = "tests/projections/engine/test_find.py"
    copy.append("projections/work/deadline.py", model + "\n\n" + query)
    copy.import_in(found, "from projections.work.deadline import FIRST_DUE")
    copy.replace(found, r"return models\.queries", "return [*models.queries, FIRST_DUE]")
    copy.replace(found, r"for query in asked\} == \{", r'\g<0>"deadlines", ')

    copy.python("-m", "tests.projections.test_fingerprints")
    copy.test(
        f"{found}::test_every_list_is_answered_by_its_index_alone",
        "tests/projections/test_fingerprints.py",
        "tests/projections/test_columns.py",
    )
