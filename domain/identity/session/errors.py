"""Why a session refuses."""

from domain.base import DomainError, Refusal


class SessionExpired(DomainError):
    """Your session has expired. Log in again."""

    code = "session_expired"
    refusal = Refusal.UNAUTHENTICATED


class SessionPlaceTaken(DomainError):
    """You are logging in on several devices at the same moment. Try again."""

    code = "session_place_taken"
    refusal = Refusal.CONFLICT


class ReauthenticationRequired(DomainError):
    """Prove again that it is you, and repeat this within ten minutes."""

    code = "reauthentication_required"
    refusal = Refusal.FORBIDDEN


class SessionIsOver(DomainError):
    """Your session has ended. Log in again."""

    code = "session_is_over"
    refusal = Refusal.UNAUTHENTICATED


class SessionConfined(DomainError):
    """Sessions of an identity provider work in its organization only. Log in by password first."""

    code = "session_confined"
    refusal = Refusal.FORBIDDEN
