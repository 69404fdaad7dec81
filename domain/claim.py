"""Claims: values that have one holder, and what is told to somebody who wants a taken one.

The append keeps them (``commands/reservations.py`` says which event takes or releases what): an
address and a subdomain on the platform, a project key in its organization, a task number in its
project.
Keys and numbers are never released, so that an old one still leads to its project and task.
"""

from datetime import timedelta

from domain.base import DomainError, Refusal

SUBDOMAIN_KEPT = timedelta(days=30)
"""How long nobody else gets a subdomain that was given up: its links still lead somewhere."""


class EmailTaken(DomainError):
    """An account with this e-mail address already exists. Log in instead."""

    code = "email_taken"
    refusal = Refusal.CONFLICT


class SubdomainTaken(DomainError):
    """This subdomain is taken. Choose a different one."""

    code = "subdomain_taken"
    refusal = Refusal.CONFLICT


class ProjectKeyTaken(DomainError):
    """This key is, or was, used by another project of this organization. Choose a different one."""

    code = "project_key_taken"
    refusal = Refusal.CONFLICT
