"""Stories of texts that are taken out of the log: of which events, by whom, and what stays."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.handler import CommandHandler
from commands.identity.organization import EditOrganization, PlaceLegalHold
from commands.lint.walk import lint_log
from commands.redaction.redact_content import RedactContent
from commands.redaction.texts import EventTexts, SaidTexts
from commands.work.comment import EditComment, PostComment
from commands.work.project import EditProject
from commands.work.task import EditTask
from domain.base import ERASED, CommentId, Event, NotFound
from domain.identity.organization.events import OrganizationRenamed, PlanChanged
from domain.identity.organization.legal_hold import LegalHold
from domain.identity.organization.membership import MemberInvited, Role
from domain.identity.plan import Plan
from domain.redaction import (
    ContentRedacted,
    NoSuchText,
    RedactedTexts,
    TextInUse,
    TextOfPerson,
    redaction_of,
)
from domain.work.task.events import TaskRetitled
from eventstore.engine.turns import STREAM_PIECE
from eventstore.log import EventLog
from eventstore.recorded import Row
from tests.commands.acme import COMMENT
from tests.domain.spec import ACME, BEN, CLEO, ENG, NOW, OTHER, TASK
from tests.spec import RECORDED, context, on, record

SECRET = "hunter2"
INVITED = MemberInvited(
    invitation_id=UUID(int=7),
    token_hash="0" * 64,
    email="kim@acme.example",
    role=Role.MEMBER,
    expires_at=NOW,
)


async def head(log: EventLog) -> int:
    return (await log.organization_heads())[ACME]


async def events_of(log: EventLog, stream: UUID) -> list[Event]:
    return [each.event for each in await log.stream(stream, ACME)]


async def redact(
    log: EventLog, handler: CommandHandler, seq: int, *fields: str, **about: Any
) -> SaidTexts:
    """Redact what an event says; return what was found at last."""
    found: list[SaidTexts] = []
    texts = EventTexts(log=log, org_id=about.pop("org_id", ACME), seq=seq, fields=fields)
    command = RedactContent(texts=texts, reason="A password", note=found.append)
    receipt = await handler.handle(command, context(**about))
    RECORDED[RedactContent].update(type(e) for change in receipt.events for e in change.events)
    return found[-1]


async def retitled(log: EventLog, handler: CommandHandler, *titles: str) -> int:
    """Give the task each of *titles*; return the number of the first event of these."""
    first = await head(log) + 1
    for title in titles:
        await handler.handle(EditTask(task_id=TASK, title=title), context())
    return first


async def test_a_text_goes_from_every_event_of_the_thing_that_has_it(
    log: EventLog, handler: CommandHandler
) -> None:
    first = await retitled(log, handler, SECRET, "Oil it", SECRET, "Grease it")
    rows = await log.stream_rows(TASK, ACME)

    said = await redact(log, handler, first)

    # The title from before goes as well: it is a text of the first event, too.
    created = (await log.stream_rows(TASK, ACME))[0].org_seq
    assert [each.seq for each in said.texts] == [created, *range(first, first + 4)]
    events = await events_of(log, TASK)
    titles = [(e.from_, e.to) for e in events if isinstance(e, TaskRetitled)]
    assert titles == [(ERASED, ERASED)] * 3 + [(ERASED, "Grease it")]
    assert SECRET not in str(events)
    assert [row.state for row in await log.stream_rows(TASK, ACME)] == [r.state for r in rows]


async def test_only_the_fields_that_are_named_go(log: EventLog, handler: CommandHandler) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")

    await redact(log, handler, first, "to")

    titles = [e for e in await events_of(log, TASK) if isinstance(e, TaskRetitled)]
    assert [(each.from_, each.to) for each in titles] == [("Oil it", ERASED), (ERASED, "Grease it")]
    [told] = await events_of(log, redaction_of(TASK))
    texts = (RedactedTexts(first, ("to",)), RedactedTexts(first + 1, ("from",)))
    assert told == ContentRedacted(of=TASK, task_id=TASK, texts=texts, reason="A password")


async def test_what_is_in_a_task_or_a_project_names_it(
    log: EventLog, handler: CommandHandler
) -> None:
    said = await head(log) + 1
    post = PostComment(comment_id=CommentId(COMMENT), task_id=TASK, body=SECRET)
    await handler.handle(post, context())
    edit = EditComment(comment_id=CommentId(COMMENT), task_id=TASK, body="-")
    await handler.handle(edit, context())
    for description in (SECRET, "-"):
        change = EditProject(project_id=ENG, description=description)
        await handler.handle(change, context())

    await redact(log, handler, said, "body")
    await redact(log, handler, said + 2)

    [of_comment] = await events_of(log, redaction_of(COMMENT))
    [of_project] = await events_of(log, redaction_of(ENG))
    assert isinstance(of_comment, ContentRedacted)
    assert isinstance(of_project, ContentRedacted)
    assert (of_comment.task_id, of_comment.project_id) == (TASK, None)
    assert (of_project.task_id, of_project.project_id) == (None, ENG)


async def test_what_a_thing_says_now_is_refused(log: EventLog, handler: CommandHandler) -> None:
    first = await retitled(log, handler, "Grease it", SECRET)

    with pytest.raises(TextInUse):
        await redact(log, handler, first + 1, "to")
    await retitled(log, handler, "Oil it", SECRET)
    with pytest.raises(TextInUse):
        await redact(log, handler, first + 1, "to")

    assert await events_of(log, redaction_of(TASK)) == []


async def test_a_text_that_becomes_current_meanwhile_stays(
    log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
) -> None:
    for _ in range(5):
        first = await retitled(log, handler, SECRET, "Oil it")
        edit = EditTask(task_id=TASK, title=SECRET)

        done = await asyncio.gather(
            redact(log, handler, first, "to"),
            elsewhere.handle(edit, context()),
            return_exceptions=True,
        )

        events = await events_of(log, TASK)
        assert isinstance(events[-1], TaskRetitled)
        assert events[-1].to == SECRET
        assert not isinstance(done[0], BaseException) or isinstance(done[0], TextInUse)
        await handler.handle(EditTask(task_id=TASK, title="Oil"), context())
    assert [str(each) async for each in lint_log(log)] == []


class Slow(EventTexts, frozen=True, kw_only=True):
    """Looks once, and then something else happens before what was found is used."""

    meanwhile: list[Callable[[], Awaitable[Any]]]

    async def said(self, event: Row) -> SaidTexts:
        found = await super().said(event)
        while self.meanwhile:
            await self.meanwhile.pop()()
        return found


async def test_what_is_recorded_while_the_log_is_read_counts(
    log: EventLog, handler: CommandHandler
) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")
    started = CommandHandler(log)  # it remembers nothing yet

    def slow(*meanwhile: Command) -> RedactContent:
        then = [partial(started.handle, each, context()) for each in meanwhile]
        texts = Slow(log=log, org_id=ACME, seq=first, fields=("to",), meanwhile=[*then])
        return RedactContent(texts=texts, reason="A password", note=found.append)

    found: list[SaidTexts] = []
    with pytest.raises(TextInUse):
        await started.handle(slow(EditTask(task_id=TASK, title=SECRET)), context())
    await handler.handle(EditTask(task_id=TASK, title="Oil it"), context())
    await started.handle(slow(slow()), context())

    assert found[-1].texts == ()
    assert len(await events_of(log, redaction_of(TASK))) == 1


async def test_what_is_said_of_a_person_goes_with_the_person(
    log: EventLog, handler: CommandHandler
) -> None:
    await record(log, on(ACME, INVITED))

    with pytest.raises(TextOfPerson):
        await redact(log, handler, await head(log))


async def test_events_that_other_keys_seal_are_passed_over(
    log: EventLog, handler: CommandHandler
) -> None:
    first = await head(log) + 1
    for name in (SECRET, "Acme"):
        await handler.handle(EditOrganization(organization_id=ACME, name=name), context())
    await record(log, on(ACME, INVITED))

    await redact(log, handler, first, "to")

    renamed = [e for e in await events_of(log, ACME) if isinstance(e, OrganizationRenamed)]
    assert [(each.from_, each.to) for each in renamed] == [("Acme", ERASED), (ERASED, "Acme")]
    assert INVITED in await events_of(log, ACME)


async def test_two_processes_redact_once(
    log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")

    await asyncio.gather(*(redact(log, each, first, "to") for each in (handler, elsewhere) * 3))
    again = await redact(log, elsewhere, first, "to")

    assert again.texts == ()
    assert len(await events_of(log, redaction_of(TASK))) == 1


async def test_a_long_history_is_read_to_its_end(log: EventLog, handler: CommandHandler) -> None:
    titles = [TaskRetitled(from_="-", to=f"Title {n}") for n in range(STREAM_PIECE * 2)]
    first = await head(log) + 1
    await record(log, on(TASK, TaskRetitled(from_="-", to=SECRET), *titles[:-1]))
    await record(log, on(TASK, TaskRetitled(from_=SECRET, to="Last")))

    said = await redact(log, handler, first, "to")

    assert [each.fields for each in said.texts] == [("to",), ("from",)]
    assert said.texts[1].seq == first + 2 * STREAM_PIECE


@pytest.mark.parametrize("by", [BEN, CLEO])
async def test_only_administrators_redact(log: EventLog, handler: CommandHandler, by: Any) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")

    with pytest.raises(NotPermitted):
        await redact(log, handler, first, by=by)


async def test_a_legal_hold_keeps_every_text(log: EventLog, handler: CommandHandler) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")
    await record(log, on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM)))
    await handler.handle(PlaceLegalHold(organization_id=ACME, reason="Court"), context())

    with pytest.raises(LegalHold):
        await redact(log, handler, first)


async def test_an_event_of_another_organization_does_not_exist(
    log: EventLog, handler: CommandHandler
) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")

    with pytest.raises(NotFound):
        await redact(log, handler, first + 100)
    with pytest.raises(NotFound):
        await redact(log, handler, first, org_id=OTHER)


async def test_a_field_that_is_no_text_is_refused(log: EventLog, handler: CommandHandler) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")

    with pytest.raises(NoSuchText):
        await redact(log, handler, first, "to", "title")


async def test_lint_log_finds_a_text_that_is_gone_but_not_redacted(
    log: EventLog, handler: CommandHandler
) -> None:
    first = await retitled(log, handler, SECRET, "Grease it")
    await redact(log, handler, first, "to")
    assert [str(each) async for each in lint_log(log)] == []

    [row] = await log.stream_rows(TASK, ACME, (await log.heads({TASK: ACME}))[TASK] - 1)
    await handler.handle(EditTask(task_id=TASK, title=ERASED), context())  # no text is gone by that
    row.private = None  # in this log, it is the row itself

    found = [each.what async for each in lint_log(log)]
    assert found == ["nobody redacted to, and it is gone"]
