"""What can happen to a webhook."""

from datetime import datetime
from enum import StrEnum

from msgspec import UNSET, UnsetType

from domain.base import Event, Personal


class DeliveryMode(StrEnum):
    """In what order events are sent; the values are stored, so they never change."""

    ORDERED = "ORDERED"  # what happened to one thing arrives in that order, also after retries
    PARALLEL = "PARALLEL"


class PauseCause(StrEnum):
    """Why nothing is sent; the values are stored, so they never change."""

    MANUAL = "manual"
    FAILING = "failing"  # nothing but failures for days
    GONE = "gone"  # the receiver answered 410 Gone (RFC 9110, 15.5.11)


class WebhookCreated(Event, frozen=True, kw_only=True, tag="webhook.created"):
    """A customer asked to be told about events at an address of theirs."""

    url: Personal  # may carry credentials of the receiver
    events: tuple[str, ...]
    mode: DeliveryMode
    from_seq: int  # events of the organization after this one are sent
    secret_version: int = 1
    description: Personal | None = None


class WebhookUpdated(Event, frozen=True, kw_only=True, tag="webhook.updated"):
    """A webhook goes elsewhere, listens to something else or sends in another order.

    Only what changed is there; an absent field stayed as it was.
    """

    url: Personal | UnsetType = UNSET
    events: tuple[str, ...] | UnsetType = UNSET
    mode: DeliveryMode | UnsetType = UNSET
    description: Personal | UnsetType | None = UNSET


class WebhookSecretRotated(Event, frozen=True, kw_only=True, tag="webhook.secret_rotated"):
    """Deliveries are signed with a new secret, and for a while with the former one too."""

    secret_version: int
    old_valid_until: datetime


class WebhookPaused(Event, frozen=True, kw_only=True, tag="webhook.paused"):
    """Nothing is sent for now; what happens meanwhile is sent after the resumption."""

    cause: PauseCause


class WebhookResumed(Event, frozen=True, kw_only=True, tag="webhook.resumed"):
    """Sending goes on where it stopped."""


class WebhookReplayRequested(Event, frozen=True, kw_only=True, tag="webhook.replay_requested"):
    """Events of the past, first and last included, are to be sent again."""

    from_seq: int
    to_seq: int


class WebhookDeleted(Event, frozen=True, kw_only=True, tag="webhook.deleted"):
    """A webhook was put in the trash; nothing is sent to it."""


class WebhookRestored(Event, frozen=True, kw_only=True, tag="webhook.restored"):
    """A webhook came back from the trash exactly as it was."""


WebhookEvent = (
    WebhookCreated
    | WebhookUpdated
    | WebhookSecretRotated
    | WebhookPaused
    | WebhookResumed
    | WebhookReplayRequested
    | WebhookDeleted
    | WebhookRestored
)
