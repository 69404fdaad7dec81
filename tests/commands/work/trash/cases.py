"""Something of each kind that can be in the trash."""

from typing import NamedTuple
from uuid import UUID

import pytest

from commands.work.trash.things import Thing
from domain.base import Event, LabelId, TemplateId, ViewId, WebhookId
from domain.hooks.webhook.events import (
    DeliveryMode,
    WebhookCreated,
    WebhookDeleted,
    WebhookPurged,
)
from domain.identity.organization.legal_hold import LegalHoldPlaced
from domain.identity.plan import PLAN_LIMITS, Plan
from domain.planning.cycle import CycleDeleted, CyclePurged
from domain.planning.field import FieldCreated, FieldDeleted, FieldPurged, stream_of_field
from domain.planning.milestone import MilestoneDeleted, MilestonePurged
from domain.planning.template.events import TemplateCreated, TemplateDeleted, TemplatePurged
from domain.planning.view import ViewCreated, ViewDeleted, ViewPurged
from domain.planning.worklog import WorklogDeleted, WorklogPurged
from domain.work.attachment import AttachmentDeleted, AttachmentPurged
from domain.work.comment import CommentDeleted, CommentPurged
from domain.work.label import LabelCreated, LabelDeleted, LabelPurged
from domain.work.project.events import ProjectDeleted, ProjectPurged
from domain.work.task.custom_field import FieldType
from domain.work.task.events import TaskDeleted
from domain.work.task.trash_events import TaskPurged
from domain.work.team import TeamCreated, TeamDeleted, TeamPurged
from domain.work.trash import TrashKind
from tests.commands.acme import (
    COMMENT,
    FILE,
    attachment,
    comment,
)
from tests.commands.planning.plans import BETA, ONE, SPENT, cycle, milestone, spent
from tests.domain.spec import ACME, ANA, ENG, GEARS, NOW, TASK
from tests.spec import Past, on

BUG, HOOK = LabelId(UUID(int=71)), WebhookId(UUID(int=72))
SIZE = stream_of_field(ENG, "size")
FREE_DAYS = PLAN_LIMITS[Plan.FREE].trash_retention
LATER = NOW + FREE_DAYS


class Case(NamedTuple):
    """A thing, how it came to be and to the trash, and the event that ends it."""

    thing: Thing
    made: Event | None
    deleted: Event
    purged: Event

    @property
    def gone(self) -> Past:
        made = () if self.made is None else (self.made,)
        return on(self.thing.id, *made, self.deleted)


HOOKED = WebhookCreated(
    url="https://a.example", events=("*",), mode=DeliveryMode.ORDERED, from_seq=0
)
SIZED = FieldCreated(
    project_id=ENG, key="size", name="Size", kind=FieldType.TEXT, created_by=ANA, created_at=NOW
)
LABELLED = LabelCreated(name="Bug", color="#ff0000", project_id=ENG, created_by=ANA, created_at=NOW)
LATE = ViewId(UUID(int=73))
SAVED = ViewCreated(project_id=ENG, name="Late", values="size:s", created_by=ANA, created_at=NOW)
BUGS = TemplateId(UUID(int=74))
TEMPLATE = TemplateCreated(
    project_id=ENG, name="Bugs", title="A bug", created_by=ANA, created_at=NOW
)
CASES = [
    Case(Thing(TrashKind.PROJECT, ENG), None, ProjectDeleted(), ProjectPurged()),
    Case(Thing(TrashKind.TASK, TASK), None, TaskDeleted(at=NOW), TaskPurged()),
    Case(
        Thing(TrashKind.COMMENT, COMMENT),
        comment(),
        CommentDeleted(task_id=TASK, deleted_by=ANA),
        CommentPurged(task_id=TASK),
    ),
    Case(
        Thing(TrashKind.ATTACHMENT, FILE),
        attachment(),
        AttachmentDeleted(task_id=TASK, deleted_by=ANA),
        AttachmentPurged(task_id=TASK),
    ),
    Case(
        Thing(TrashKind.WORKLOG, SPENT),
        spent(),
        WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA),
        WorklogPurged(task_id=TASK),
    ),
    Case(Thing(TrashKind.LABEL, BUG), LABELLED, LabelDeleted(), LabelPurged()),
    Case(
        Thing(TrashKind.TEAM, GEARS),
        TeamCreated(name="Gears", created_by=ANA),
        TeamDeleted(),
        TeamPurged(),
    ),
    Case(Thing(TrashKind.WEBHOOK, HOOK), HOOKED, WebhookDeleted(), WebhookPurged()),
    Case(
        Thing(TrashKind.CYCLE, ONE),
        cycle(),
        CycleDeleted(project_id=ENG),
        CyclePurged(project_id=ENG),
    ),
    Case(
        Thing(TrashKind.MILESTONE, BETA),
        milestone(),
        MilestoneDeleted(project_id=ENG),
        MilestonePurged(project_id=ENG),
    ),
    Case(Thing(TrashKind.VIEW, LATE), SAVED, ViewDeleted(), ViewPurged()),
    Case(Thing(TrashKind.TEMPLATE, BUGS), TEMPLATE, TemplateDeleted(), TemplatePurged()),
    Case(
        Thing(TrashKind.FIELD, SIZE),
        SIZED,
        FieldDeleted(project_id=ENG),
        FieldPurged(project_id=ENG),
    ),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.thing.kind)
HELD = on(ACME, LegalHoldPlaced(reason="Acme v. Apex"))
TASK_THING, PROJECT_THING = CASES[1].thing, CASES[0].thing
