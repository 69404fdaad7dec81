"""What ends with an organization changes when it is purged, and when it is kept or forked."""

from domain.audit import AuditTrail, LogForkAbandoned, LogForked
from domain.base import Event, State
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated, WebhookPurged
from domain.hooks.webhook.state import Webhook
from domain.identity.api_key.events import ApiKeyCreated, ApiKeyPurged
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.events import OrganizationPurged
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.legal_hold import LegalHoldLifted, LegalHoldPlaced
from domain.identity.organization.settings import SettingsChanged
from tests.domain.acme import TEAM
from tests.domain.spec import ACME, ANA, DAY, NOW, given

PLACED = LegalHoldPlaced(reason="Acme v. Apex")
HOOK = given(
    Webhook(),
    WebhookCreated(
        url="https://example.com",
        events=("*",),
        mode=DeliveryMode.ORDERED,
        from_seq=7,
        description="For CI",
    ),
)
FULL = given(TEAM, PLACED, SettingsChanged(security_contacts="eve@example.com"))
KEY = given(
    ApiKey(),
    ApiKeyCreated(
        name="CI",
        key_id="k",
        hash="h",
        last4="last",
        scopes=("task:read",),
        networks="192.0.2.0/24",
        expires_at=NOW + DAY,
        created_by=ANA,
        created_at=NOW,
    ),
)
PURGES: list[tuple[State, Event, tuple[str, ...]]] = [
    (TEAM, PLACED, ("legal_hold",)),
    (given(TEAM, PLACED), LegalHoldLifted(), ("legal_hold",)),
    (FULL, OrganizationPurged(), OrganizationPurged.sets),
    (KEY, ApiKeyPurged(), ("name", "networks", "revoked", "purged")),
    (HOOK, WebhookPurged(), ("url", "description", "deleted", "purged")),
    (TEAM, OrganizationForked(from_organization=ACME, at=7, recorded_at=NOW), ()),
    (AuditTrail(), LogForked(organization_id=ACME, at=7), ()),
    (AuditTrail(), LogForkAbandoned(organization_id=ACME, at=7), ()),
]
