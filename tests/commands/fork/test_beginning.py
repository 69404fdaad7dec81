"""As of which event a fork is made."""

import pytest

from commands.fork.beginning import end_of_append
from commands.handler import CommandHandler
from commands.work.label import CreateLabel, EditLabel
from domain.base import LabelId
from eventstore.identifiers import new_id
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, HERE
from tests.domain.spec import ACME, SECOND
from tests.spec import context, opened, record


@pytest.mark.parametrize("at_once", [1, 2, 500])
async def test_what_one_command_recorded_is_not_cut(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.fork.beginning.COPIED_AT_ONCE", at_once)
    label = LabelId(new_id())
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        head, handler = await log.organization_head(ACME), CommandHandler(log)
        create = CreateLabel(label_id=label, name="Bug", color="#ff0000")
        edit = EditLabel(label_id=label, name="Idea", color="#00ff00")
        again = EditLabel(label_id=label, name="Bug", color="#ff0000")
        await handler.handle(create, context())
        await handler.handle(edit, context())
        later = context()
        await handler.handle(again, context(now=later.now + SECOND))

        ends = [await end_of_append(log, ACME, head + each) for each in range(1, 6)]

        assert ends == [head + 1, head + 3, head + 3, head + 5, head + 5]
