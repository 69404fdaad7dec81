"""Templates, and what they name, for the stories of commands on them."""

from typing import Any
from uuid import UUID

from commands.planning.template import (
    CreateTemplate,
    EditTemplate,
)
from domain.base import LabelId, ProjectId, TemplateId
from domain.planning.field import (
    FieldCreated,
    FieldOptionsChanged,
    OptionRule,
    stream_of_field,
)
from domain.planning.template.events import (
    TemplateDeleted,
)
from domain.planning.template.values import StartingValues, Subtask
from domain.work.label import LabelCreated
from domain.work.project.events import (
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.custom_field import FieldType
from domain.work.task.events import Priority
from tests.commands.acme import HERE
from tests.commands.planning.plans import (
    BUG_FORM,
    template,
)
from tests.domain.spec import ANA, ENG, NOW
from tests.spec import Past, on

NEW = TemplateId(UUID(int=87))
BUG = LabelId(UUID(int=88))
KEPT = (*HERE, on(BUG_FORM, template()))
GONE = on(BUG_FORM, TemplateDeleted(project_id=ENG, owner=ANA))
HIGH = StartingValues(priority=Priority.HIGH, start_in=1, due_in=3)
FIND = Subtask(title="Find it", values=HIGH)
PRIVATE = on(ENG, ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE))


def create(name: str = "New", project: ProjectId | None = ENG, **about: Any) -> CreateTemplate:
    return CreateTemplate(template_id=NEW, project_id=project, name=name, **about)


def edit(**about: Any) -> EditTemplate:
    return EditTemplate(template_id=BUG_FORM, **about)


def label(project: ProjectId | None = None, *more: Any) -> Past:
    made = LabelCreated(
        name="Bug", color="#ff0000", project_id=project, created_by=ANA, created_at=NOW
    )
    return on(BUG, made, *more)


def field(key: str = "size", kind: FieldType = FieldType.SELECT, *more: Any) -> Past:
    choosing = kind is FieldType.SELECT
    made = FieldCreated(
        project_id=ENG,
        key=key,
        name=key,
        kind=kind,
        options=(OptionRule(key="s"),) if choosing else (),
        option_names="Small" if choosing else None,
        created_by=ANA,
        created_at=NOW,
    )
    return on(stream_of_field(ENG, key), made, *more)


RETIRED = FieldOptionsChanged(
    project_id=ENG,
    options=(OptionRule(key="l"), OptionRule(key="s", retired=True)),
    option_names="Large\nSmall",
)
