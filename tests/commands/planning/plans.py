"""The parts of plans that the stories of commands begin with."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.base import CycleId, MilestoneId, ProjectId, TemplateId, UserId, ViewId, WorklogId
from domain.planning.cycle import CycleCreated, CycleDates
from domain.planning.milestone import MilestoneCreated
from domain.planning.template.events import TemplateCreated
from domain.planning.view import ViewCreated
from domain.planning.worklog import WorklogAdded
from domain.work.project.events import ProjectCreated
from tests.commands.acme import HERE, OPS
from tests.domain.spec import ANA, ENG, NOW, TASK
from tests.spec import on

ONE, TWO = CycleId(UUID(int=81)), CycleId(UUID(int=82))
BETA, GA = MilestoneId(UUID(int=91)), MilestoneId(UUID(int=92))
LATE = ViewId(UUID(int=86))
SPENT = WorklogId(UUID(int=96))
BUG_FORM = TemplateId(UUID(int=85))
FIRST = date(2026, 5, 4)
SPENT_ON = date(2026, 2, 27)
OTHER_PROJECT = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))


def days(first: int, last: int) -> CycleDates:
    """Return dates, counted from a Monday in May."""
    return CycleDates(starts_on=FIRST + timedelta(days=first), ends_on=FIRST + timedelta(days=last))


TWO_WEEKS = days(0, 13)


def cycle(
    name: str = "One", dates: CycleDates = TWO_WEEKS, project: ProjectId = ENG
) -> CycleCreated:
    return CycleCreated(project_id=project, name=name, dates=dates, created_by=ANA, created_at=NOW)


def milestone(name: str = "Beta", project: ProjectId = ENG) -> MilestoneCreated:
    return MilestoneCreated(project_id=project, name=name, created_by=ANA, created_at=NOW)


def view(
    name: str = "Late", project: ProjectId | None = ENG, by: UserId = ANA, *, shared: bool = True
) -> ViewCreated:
    return ViewCreated(project_id=project, name=name, shared=shared, created_by=by, created_at=NOW)


def spent(by: UserId = ANA, *, at: datetime = NOW, **about: Any) -> WorklogAdded:
    """Return half an hour of somebody, which they log themselves."""
    details: dict[str, Any] = {
        "task_id": TASK,
        "minutes": 30,
        "day": SPENT_ON,
        "note": "Oiled",
        "user_id": by,
        "created_by": by,
    }
    return WorklogAdded(created_at=at, **(details | about))


def template(
    name: str = "Bug", project: ProjectId | None = ENG, by: UserId = ANA, **about: Any
) -> TemplateCreated:
    return TemplateCreated(project_id=project, name=name, created_by=by, created_at=NOW, **about)


PLANNED = (*HERE, on(ONE, cycle()), on(BETA, milestone()))
"""Acme's project with a cycle of two weeks and a milestone."""
