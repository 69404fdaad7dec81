"""What takes back each event of a task template."""

from collections.abc import Iterable
from typing import Any

from commands.base import Command
from commands.planning.template import (
    DeleteTemplate,
    EditTemplate,
    RestoreTemplate,
    ValuesChange,
)
from commands.undo.changed import (
    NOT_BROUGHT_BACK,
    Answer,
    Changed,
    Inverse,
    refuse_unless_unchanged,
    setting,
    trashing,
)
from domain.base import Event
from domain.planning.template.events import (
    TemplateCreated,
    TemplateDeleted,
    TemplateDescribed,
    TemplateFieldsChanged,
    TemplatePurged,
    TemplateRenamed,
    TemplateRestored,
    TemplateSubtasksChanged,
    TemplateTextChanged,
    TemplateTitled,
    TemplateValuesChanged,
)
from domain.planning.template.values import StartingValues
from domain.work.task.custom_field import FieldInput


def _edit(name: str) -> Answer:
    return (setting(EditTemplate, "template_id", name),)


def _value(name: str) -> Inverse:
    def commands(changed: Changed) -> Iterable[Command]:
        back = changed.earlier(name)
        return _edited(changed, values=ValuesChange(**back)) if back else []

    return Inverse(name, commands, (name,))


def _days(changed: Changed) -> Iterable[Command]:
    """Return what sets both days back at once: between the two, it might end first."""
    back = changed.earlier("start_in", "due_in")
    return _edited(changed, values=ValuesChange(**back)) if back else []


def _field_values(changed: Changed) -> Iterable[Command]:
    """Return what sets the values back of the fields whose values were changed."""
    was, given, now = (each.field_values for each in (changed.before, changed.after, changed.now))
    back = dict[str, FieldInput | int | None]()
    for key in sorted(was.keys() | given.keys()):
        values = [each.get(key) for each in (was, given, now)]
        if values[0] not in values[1:]:
            refuse_unless_unchanged(*values)
            back[key] = values[0]
    return _edited(changed, fields=back) if back else []


def _subtasks(changed: Changed) -> Iterable[Command]:
    if not changed.earlier("subtasks", "subtask_titles"):
        return []
    return _edited(changed, subtasks=changed.before.listed_subtasks)


def _edited(changed: Changed, **about: Any) -> Iterable[Command]:
    return [EditTemplate(template_id=changed.stream, **about)]


_AWAY, _BACK = trashing(
    lambda changed: DeleteTemplate(template_id=changed.stream),
    lambda changed: RestoreTemplate(template_id=changed.stream),
)
_DAYS = ("start_in", "due_in")

OF_TEMPLATES: dict[type[Event], Answer] = {
    TemplateCreated: _AWAY,
    TemplateRenamed: _edit("name"),
    TemplateDescribed: _edit("description"),
    TemplateTitled: _edit("title"),
    TemplateTextChanged: _edit("text"),
    TemplateValuesChanged: (
        *(_value(name) for name in StartingValues.__struct_fields__ if name not in _DAYS),
        Inverse("start_in", _days, _DAYS),
    ),
    TemplateFieldsChanged: (Inverse("fields", _field_values),),
    TemplateSubtasksChanged: (Inverse("subtasks", _subtasks),),
    TemplateDeleted: _BACK,
    TemplateRestored: _AWAY,
    TemplatePurged: NOT_BROUGHT_BACK,
}
"""What takes back each event of a task template."""
