"""Identity providers of the organization used in the tests."""

from typing import Any
from uuid import UUID

from domain.identity.organization.membership import Role
from domain.identity.organization.sso import DomainProven, MappedRole, SsoConfigured

ISSUER = "https://id.example.com"
CONFIGURATION = UUID(int=71)


def configured(number: int = 0, **about: Any) -> SsoConfigured:
    """Return a configuration; *about* overrides."""
    fields: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": "us",
        "scopes": ("openid", "email"),
        "domains": ("example.com",),
        "role_claim": None,
        "roles": (),
        "default_role": Role.MEMBER,
    }
    return SsoConfigured(configuration_id=UUID(int=CONFIGURATION.int + number), **(fields | about))


CONFIGURED = configured()
PROVEN = DomainProven(domain="example.com")
MAPPED = configured(
    role_claim="groups",
    roles=(MappedRole("admins", Role.ADMIN), MappedRole("leads", Role.MANAGER)),
)
