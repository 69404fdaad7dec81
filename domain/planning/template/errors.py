"""Errors of task templates."""

from domain.base import DomainError, Refusal


class TemplateNameTaken(DomainError):
    """Another task template has this name here. Choose a different one."""

    code = "template_name_taken"
    refusal = Refusal.CONFLICT


class TitleMissing(DomainError):
    """The task needs a title: its template has none, and none was given."""

    code = "title_missing"
    refusal = Refusal.INVALID


class TemplateTooLarge(DomainError):
    """A template has at most 50 subtasks, and this task has more of them."""

    code = "template_too_large"
    refusal = Refusal.CONFLICT
