"""Why an account refuses."""

from domain.base import DomainError, Refusal


class ResetIsOver(DomainError):
    """This link was used, replaced by a newer one, or has expired. Ask for a new one."""

    code = "reset_is_over"
    refusal = Refusal.CONFLICT


class AccountDeactivated(DomainError):
    """This account is deactivated. Ask an administrator to reactivate it."""

    code = "account_deactivated"
    refusal = Refusal.FORBIDDEN
