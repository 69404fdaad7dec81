"""Claims: values that only one holder can have, and the errors for a value that is taken.

The append enforces them; ``commands/reservations.py`` says which event takes or releases which
claim. Addresses and subdomains are unique on the platform, project keys and names of teams in their
organization, task numbers in their project. Keys and numbers are never released, so that an old one
always leads to its project or task.
"""

from datetime import timedelta

from domain.base import DomainError, Refusal

SUBDOMAIN_KEPT = timedelta(days=30)
"""How long a released subdomain stays reserved, because old links still lead to it."""


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


class TeamNameTaken(DomainError):
    """Another team of this organization has this name. Choose a different one."""

    code = "team_name_taken"
    refusal = Refusal.CONFLICT
