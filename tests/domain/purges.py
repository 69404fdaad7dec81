"""What a webhook and an organization change when the trash is purged, and when it is kept."""

from domain.base import Event, State
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated, WebhookPurged
from domain.hooks.webhook.state import Webhook
from domain.identity.organization.legal_hold import LegalHoldLifted, LegalHoldPlaced
from tests.domain.acme import TEAM
from tests.domain.spec import given

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
PURGES: list[tuple[State, Event, tuple[str, ...]]] = [
    (TEAM, PLACED, ("legal_hold",)),
    (given(TEAM, PLACED), LegalHoldLifted(), ("legal_hold",)),
    (HOOK, WebhookPurged(), ("url", "description", "deleted", "purged")),
]
