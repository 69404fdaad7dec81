"""Events of task templates, and what takes back each of them."""

from domain.planning.template import events as template
from domain.planning.template.values import LEFT_OPEN, StartingValues
from domain.work.task.events import Priority
from tests.commands.planning import plans
from tests.commands.undo.rows import FIELD, SIZE, Row, of
from tests.domain.spec import ANA, ENG
from tests.spec import on

HIGH = StartingValues(priority=Priority.HIGH, start_in=1, due_in=3)
SMALL = '{"size":"s"}'
LISTED = template.TemplateSubtasksChanged(subtasks=(HIGH,), subtask_titles="Find it")
GONE = template.TemplateDeleted(project_id=ENG, owner=ANA)

TEMPLATE_ROWS: list[Row] = [
    of(plans.BUG_FORM, plans.template(), then=GONE),
    of(
        plans.BUG_FORM,
        plans.template(),
        template.TemplateRenamed(from_="Bug", to="Defect"),
        then=template.TemplateRenamed(from_="Defect", to="Bug"),
    ),
    of(
        plans.BUG_FORM,
        plans.template(),
        template.TemplateDescribed(description="For bugs"),
        then=template.TemplateDescribed(description=None),
    ),
    of(
        plans.BUG_FORM,
        plans.template(),
        template.TemplateTitled(from_=None, to="A bug"),
        then=template.TemplateTitled(from_="A bug", to=None),
    ),
    of(
        plans.BUG_FORM,
        plans.template(text="Steps:"),
        template.TemplateTextChanged(text=None),
        then=template.TemplateTextChanged(text="Steps:"),
    ),
    of(
        plans.BUG_FORM,
        plans.template(),
        template.TemplateValuesChanged(from_=LEFT_OPEN, to=HIGH),
        then=(
            template.TemplateValuesChanged(from_=HIGH, to=StartingValues(start_in=1, due_in=3)),
            template.TemplateValuesChanged(
                from_=StartingValues(start_in=1, due_in=3), to=LEFT_OPEN
            ),
        ),
    ),
    of(
        plans.BUG_FORM,
        plans.template(fields=SMALL),
        template.TemplateFieldsChanged(fields=None),
        then=template.TemplateFieldsChanged(fields=SMALL),
    )._replace(beside=(*of(SIZE, FIELD, then=()).beside, on(SIZE, FIELD))),
    of(
        plans.BUG_FORM,
        plans.template(),
        LISTED,
        then=template.TemplateSubtasksChanged(),
    ),
    of(plans.BUG_FORM, plans.template(), GONE, then=template.TemplateRestored()),
    of(plans.BUG_FORM, plans.template(), GONE, template.TemplateRestored(), then=GONE),
]
