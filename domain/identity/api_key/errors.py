"""Why an API key refuses, or is refused."""

from domain.base import DomainError, Refusal


class ScopeNotAllowed(DomainError):
    """Choose at least one scope, and none that API keys, or keys of your role, cannot have."""

    code = "scope_not_allowed"
    refusal = Refusal.FORBIDDEN


class ExpiryNotAllowed(DomainError):
    """An API key expires in the future and within 365 days."""

    code = "expiry_not_allowed"
    refusal = Refusal.INVALID


class KeyWasRevoked(DomainError):
    """This API key was revoked, or replaced by a rotation. Use another one."""

    code = "api_key_revoked"
    refusal = Refusal.UNAUTHENTICATED


class KeyHasExpired(DomainError):
    """This API key has expired. Create a new one, or rotate keys before they expire."""

    code = "api_key_expired"
    refusal = Refusal.UNAUTHENTICATED


class KeyWithoutOwner(DomainError):
    """Whoever created this API key no longer has access to its organization, so nor has the key."""

    code = "api_key_without_owner"
    refusal = Refusal.UNAUTHENTICATED


class KeyWithoutSecondFactor(DomainError):
    """The organization requires two-factor login, and the creator of this key has it turned off."""

    code = "api_key_without_second_factor"
    refusal = Refusal.UNAUTHENTICATED


class NetworkNotAllowed(DomainError):
    """This API key can be used only from the networks that were chosen for it; you are at `ip`."""

    code = "network_not_allowed"
    refusal = Refusal.FORBIDDEN


class ApiKeyIsOver(DomainError):
    """This API key has expired. Create a new one."""

    code = "api_key_is_over"
    refusal = Refusal.CONFLICT
