"""A webhook receives nothing of private projects, unless it says that it does."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from deliveries.retry import Schedule
from domain.base import TaskId
from domain.hooks.webhook.events import WebhookReplayRequested
from domain.work.comment import CommentPosted
from domain.work.project.events import ProjectCreated, ProjectVisibilityChanged, Visibility
from tests.commands.acme import COMMENT, OPENED, OPS, TEAM, task
from tests.deliveries.receiver import Receiver, Reply
from tests.domain.spec import ACME, ANA, ENG, NOW
from tests.spec import on, record
from tests.workers.stage import MS, Stage, eventually

pytestmark = pytest.mark.servers

PRIVATE, ORGANIZATION = Visibility.PRIVATE, Visibility.ORGANIZATION
SECRET, SHOWN = TaskId(UUID(int=601)), TaskId(UUID(int=602))
MADE = ProjectCreated(key="OPS", name="Ops", visibility=PRIVATE, created_by=ANA)
SAID = CommentPosted(task_id=SECRET, body="Done?", created_by=ANA, created_at=NOW)
OPEN = [("project.created", str(ENG)), ("task.created", str(SHOWN))]
HIDDEN = [
    ("project.created", str(OPS)),
    ("task.created", str(SECRET)),
    ("comment.posted", str(COMMENT)),
]
EVENTS = ("project.created", "task.*", "comment.*")


async def happen(stage: Stage) -> None:
    """Let the same happen in a private project and in one of the organization."""
    log = stage.system.log
    await record(log, TEAM, on(OPS, MADE), on(ENG, OPENED))
    await record(log, on(SECRET, task(1, project=OPS, key="OPS")), on(COMMENT, SAID))
    await record(log, on(SHOWN, task(1)))


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Return type and stream of what was received, in order."""
    bodies = [json.loads(each.body) for each in receiver.requests]
    return [(body["type"], body["stream"]["id"]) for body in bodies]


async def test_what_happens_in_a_private_project_is_not_sent(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url, events=EVENTS)
    await happen(stage)

    async with stage.delivering():
        await eventually(lambda: stage.sent(webhook_id), 2)

    assert told(receiver) == OPEN


async def test_a_webhook_that_asks_for_it_receives_it(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url, events=EVENTS, private_projects=True)
    await happen(stage)

    async with stage.delivering():
        await eventually(lambda: stage.sent(webhook_id), 5)

    assert sorted(told(receiver)) == sorted(OPEN + HIDDEN)


async def test_a_replay_sends_what_is_open_now(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url, events=EVENTS)
    await happen(stage)
    async with stage.delivering():
        await eventually(lambda: stage.sent(webhook_id), 2)
        hide = ProjectVisibilityChanged(from_=ORGANIZATION, to=PRIVATE)
        show = ProjectVisibilityChanged(from_=PRIVATE, to=ORGANIZATION)
        await record(stage.system.log, on(ENG, hide), on(OPS, show))
        last = await stage.system.log.organization_head(ACME)
        await stage.change(webhook_id, WebhookReplayRequested(from_seq=1, to_seq=last))
        await eventually(lambda: stage.sent(webhook_id), 5)

    assert sorted(told(receiver)[2:]) == sorted(HIDDEN)


async def test_what_waits_is_not_sent_once_its_project_is_private(
    stage: Stage, receiver: Receiver
) -> None:
    await happen(stage)
    webhook_id = await stage.webhook(receiver.url, events=EVENTS)
    receiver.answer_with(Reply(status=503))
    hide = ProjectVisibilityChanged(from_=ORGANIZATION, to=PRIVATE)
    long = Schedule(pauses=(0 * MS, timedelta(minutes=5)), breaker_after=100)
    async with stage.delivering(long):
        await eventually(lambda: stage.states(webhook_id), ["RETRYING"] * 2)
        await record(stage.system.log, on(ENG, hide))
        sent_before = len(receiver.requests)
        stage.clock.ahead = timedelta(minutes=6)
        await eventually(lambda: stage.states(webhook_id), ["FAILED"] * 2)
        assert await stage.fails(webhook_id) == sent_before

        show = ProjectVisibilityChanged(from_=PRIVATE, to=ORGANIZATION)
        await record(stage.system.log, on(ENG, show))
        receiver.answer_with(Reply())
        first, second = await stage.deliveries(webhook_id)
        assert (
            first.last_error == second.last_error == "the project that it is about is private now"
        )
        assert await stage.put_back(second)
        await eventually(lambda: stage.states(webhook_id), ["FAILED", "SUCCESS"])

    assert len(receiver.requests) == sent_before + 1
