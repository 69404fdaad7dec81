"""What the copies of events reserve, and what they are called in the fork."""

from typing import Any

import pytest

from commands.claims.recurrence import REPEATS
from commands.fork.copying import ForkCopy
from commands.fork.new_ids import NewIds, fork_id
from commands.fork.progress import ForkProgress, fork_progress
from commands.fork.survey import Survey
from commands.handler import CommandHandler
from commands.label_claims import label_name_claim
from commands.lint.walk import lint_log
from commands.planning.recurrence import SetRecurrence
from commands.redaction.redact_content import RedactContent
from commands.redaction.texts import EventTexts
from commands.work.label import CreateLabel, EditLabel
from domain.base import ERASED, PLATFORM, LabelId
from domain.redaction import redaction_of
from domain.work.label import LabelNameTaken
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, HERE
from tests.commands.fork.forked import fork_of
from tests.domain.spec import ACME, TASK
from tests.spec import context, opened, record

FORK = fork_id(ACME, "acme-copy", 1)


async def redact(log: EventLog, handler: CommandHandler, seq: int) -> None:
    """Take a text out of an event."""
    texts = EventTexts(log=log, org_id=ACME, seq=seq, fields=())
    command = RedactContent(texts=texts, reason="A password", note=lambda _: None)
    await handler.handle(command, context())


async def test_a_redacted_name_is_claimed_by_nobody_and_named_by_its_new_number() -> None:
    label, other = LabelId(new_id()), LabelId(new_id())
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        handler = CommandHandler(log)
        for each, name in ((other, "hunter1"), (label, "hunter2")):
            create = CreateLabel(label_id=each, name=name, color="#ff0000")
            await handler.handle(create, context())
        created = await log.organization_head(ACME)
        for each, name in ((other, "Idea"), (label, "Bug")):
            await handler.handle(EditLabel(label_id=each, name=name), context())
        for seq in (created - 1, created):
            await redact(log, handler, seq)

        ids = await fork_of(log, ACME, "acme-copy")

        [copied] = await log.stream(redaction_of(ids.of(label)), FORK)
        event: Any = copied.event
        [named] = await log.decoded(await log.organization_at(FORK, [event.texts[0].seq]))
        named_event: Any = named.event
        assert (named.stream_id, named_event.name) == (ids.of(label), ERASED)
        fingerprint = log.keys.fingerprint
        claims = [label_name_claim(fingerprint, FORK, None, name) for name in ("Bug", ERASED)]
        assert await log.holders(claims) == {claims[0]: ids.of(label)}
        assert [str(each) async for each in lint_log(log)] == []
        again = CreateLabel(label_id=LabelId(new_id()), name="bug", color="#ff0000")
        with pytest.raises(LabelNameTaken):
            await CommandHandler(log).handle(again, context(org_id=FORK))


async def test_nothing_is_due_before_the_fork_is_whole() -> None:
    series = new_id()
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        rule = SetRecurrence(task_id=TASK, series_id=series, rrule="FREQ=DAILY")
        await CommandHandler(log).handle(rule, context())
        at = await log.organization_head(ACME)
        survey = Survey(log, NewIds(ACME, FORK), at)
        await survey.read()
        copy = ForkCopy(log, survey, ForkProgress(organization=ACME, at=at))
        while await copy.copy_some():
            pass
        assert await log.claimed(PLATFORM, REPEATS, PLATFORM) == [TASK]
        assert await fork_progress(log, FORK) == copy.progress

        ids = await fork_of(log, ACME, "acme-copy-2")

        assert set(await log.claimed(PLATFORM, REPEATS, PLATFORM)) == {TASK, ids.of(TASK)}
        [*_, recorded] = await log.stream(ids.of(TASK), ids.fork)
        event: Any = recorded.event
        assert event.to.series_id == ids.of(series) != series
        assert await fork_progress(log, ids.fork) is None
