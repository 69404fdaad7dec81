"""From which template a task was created. What it got from there, its other events say."""

from domain.base import Event, TemplateId


class TaskTemplated(Event, frozen=True, kw_only=True, tag="task.templated"):
    """A task that was just created got what a template lets tasks start with."""

    template_id: TemplateId
