"""What the stories of the read models share: a projector driven to the end of the log."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.base import Event, LabelId, SessionId, TaskId, WebhookId
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated
from domain.identity.api_key.events import ApiKeyCreated
from domain.identity.api_key.state import stream_of_key
from domain.identity.organization.membership import LeaveCause, MemberLeft
from domain.identity.session.events import SessionStarted
from domain.identity.user.events import LoginFailed
from domain.planning.field import FieldCreated, OptionRule, stream_of_field
from domain.work.label import LabelCreated
from domain.work.project.events import ProjectPutOnHold
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.custom_field import FieldType
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskPriorityChanged,
    TaskRetitled,
    TaskStatus,
)
from domain.work.team import (
    TeamCreated,
    TeamLeaveCause,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamRole,
    TeamRoleChanged,
)
from eventstore.log import EventLog
from eventstore.recorded import Recorded, microseconds
from projections.base import Document, Projection
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.folding import Folder
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.store import ReadStore, ShapedCollection
from tests.commands.acme import ACCOUNTS, ANSWER, COMMENT, FILE, HERE, attachment, comment, task
from tests.commands.planning.plans import (
    BETA,
    BUG_FORM,
    LATE,
    ONE,
    SPENT,
    cycle,
    milestone,
    spent,
    template,
    view,
)
from tests.domain.acme import invitation
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAY, ENG, GEARS, NOW, stepped
from tests.spec import on, record

LABEL = LabelId(UUID(int=71))
WEBHOOK, SESSION = WebhookId(UUID(int=800)), SessionId(UUID(int=801))
HOOKED = WebhookCreated(
    url="https://example.com/hook", events=("task.*",), mode=DeliveryMode.ORDERED, from_seq=0
)
API_KEY = stream_of_key("abc")
KEY_CREATED = ApiKeyCreated(
    name="CI",
    key_id="abc",
    hash="one",
    last4="wxyz",
    scopes=("task:edit", "task:read"),
    networks="192.0.2.0/24,2001:db8::/32",
    expires_at=NOW + 90 * DAY,
    created_by=ANA,
    created_at=NOW,
)
LOGGED_IN = SessionStarted(
    user_id=ANA, nonce="n", started_at=NOW, expires_at=NOW + 30 * DAY, idle_expires_at=NOW + 7 * DAY
)


SIZED = FieldCreated(
    project_id=ENG,
    key="size",
    name="Size",
    kind=FieldType.SELECT,
    options=(OptionRule(key="s"), OptionRule(key="l", retired=True)),
    option_names="Small\nLarge",
    created_by=ANA,
    created_at=NOW,
)

TEAM_STORY = (
    TeamCreated(name="Gears", created_by=ANA),
    TeamMemberAdded(user_id=BEN, role=TeamRole.MEMBER),
    TeamMemberAdded(user_id=CLEO, role=TeamRole.LEAD),
    TeamRoleChanged(user_id=BEN, from_=TeamRole.MEMBER, to=TeamRole.LEAD),
    TeamMemberRemoved(user_id=CLEO, cause=TeamLeaveCause.LEFT),
)


async def never(timeout_s: float) -> None:
    """Stand for a wait that the test has no use for."""


async def patient(timeout_s: float) -> None:
    """Wait as a projector does that nobody wakes."""
    await asyncio.sleep(min(timeout_s, 0.01))


async def project_all(
    log: EventLog, store: ReadStore, projections: Sequence[Projection[Any]] = PROJECTIONS
) -> Projector:
    """Project to the end of the log, and return the projector, which holds the lease."""
    projector = Projector(projections, log, store, never)
    await to_the_end(projector)
    return projector


async def to_the_end(projector: Projector) -> None:
    """Let *projector* do all that there is to do now."""
    while await projector.step():
        pass


def models_of(store: ReadStore, projections: Sequence[Projection[Any]] = PROJECTIONS) -> ReadModels:
    """Return the read models in *store*, as a process sees them that has just started."""
    return ReadModels(store, Progress(store), projections)


def story(stream: UUID, *events: Event, start: int = 1) -> list[Recorded]:
    """Return *events* as the log would give them, at positions from *start* on."""
    return [
        Recorded(
            position=position,
            org_id=ACME,
            org_seq=position,
            stream_id=stream,
            version=position - start + 1,
            recorded_at=microseconds(NOW),
            event=event,
            state=b"{}",
        )
        for position, event in enumerate(events, start)
    ]


def shown(projection: Projection[Any], *events: Recorded) -> dict[str, Document]:
    """Return the documents that *events* give, folded in memory one by one.

    Each event is folded onto what the fields of the document before it say.
    """
    documents: dict[str, Document] = {}
    for event in events:
        folder = Folder(projection, "shown", strict=True)
        folder.begin([event])
        folder.know(documents.values())
        documents.update({one.id: one for one in folder.fold().documents})
    return documents


async def live(store: ReadStore, projection: Projection[Any]) -> ShapedCollection:
    """Return the live collection of a read model."""
    control = await store.control()
    assert control is not None
    found = control.live(projection.name)
    assert found is not None
    return ShapedCollection(found.name, projection.shape)


async def a_busy_day(log: EventLog, seed: int, tasks: int = 25) -> None:
    """Record what a small organization does in a day: every column, tasks in random order."""
    chance = random.Random(seed)  # noqa: S311 - the same story each time
    await record(log, *ACCOUNTS, *HERE)
    await record(log, on(WEBHOOK, HOOKED), on(SESSION, LOGGED_IN), on(API_KEY, KEY_CREATED))
    await record(log, on(GEARS, *TEAM_STORY))
    await record(log, on(COMMENT, comment()), on(ANSWER, comment(parent=COMMENT)))
    created = LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW)
    await record(log, on(LABEL, created), on(stream_of_field(ENG, "size"), SIZED))
    await record(log, on(ONE, cycle()), on(BETA, milestone()), on(LATE, view()))
    await record(log, on(FILE, attachment()), on(SPENT, spent()), on(BUG_FORM, template()))
    ids = [UUID(int=1_000 + n) for n in range(tasks)]
    for number, stream in enumerate(ids, 2):
        await record(log, on(stream, task(number)))
        other = chance.choice(ids[: number - 1])
        event = chance.choice(
            [
                TaskRetitled(from_="", to=f"Title {number}"),
                stepped(TaskStatus.TODO, chance.choice(list(TaskStatus))),
                TaskPriorityChanged(from_=Priority.LOW, to=chance.choice(list(Priority))),
                TaskAssigned(user_id=chance.choice([ANA, BEN, CLEO])),
                TaskDeleted(),
            ]
        )
        await record(log, on(other, event))
        if other != stream:
            blocks = RelationAdded(
                kind=RelationKind.BLOCKS, from_=TaskId(other), to=TaskId(stream), open=True
            )
            await record(log, on(graph_of(ACME), blocks))
    await record(log, on(ACME, invitation(), org_id=ACME))
    await record(log, on(ACME, MemberLeft(user_id=CLEO, cause=LeaveCause.LEFT), org_id=ACME))
    await record(log, on(ANA, LoginFailed()), on(ENG, ProjectPutOnHold()))
