"""A command records what it declares: nothing else in any story, and all of it in some.

Runs after the stories, whose records it looks at.
"""

from pathlib import Path

import pytest

from commands.base import Command
from domain.catalog import tag_of
from tests.spec import RECORDED
from tools.discover import leaves

STORIES = {path for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)}


@pytest.mark.parametrize("command", leaves(Command, "commands"))
def test_a_command_records_exactly_what_it_declares(
    command: type[Command], request: pytest.FixtureRequest
) -> None:
    if not {item.path for item in request.session.items} >= STORIES:
        pytest.skip("only when all stories of commands run")

    assert sorted(map(tag_of, RECORDED[command])) == sorted(map(tag_of, command.records))
