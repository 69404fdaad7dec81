"""Events of a webhook."""

from datetime import datetime
from enum import StrEnum

from msgspec import UNSET, UnsetType

from domain.base import Event, Personal


class DeliveryMode(StrEnum):
    """The order in which events are sent. The values are stored, so they never change."""

    ORDERED = "ORDERED"  # events of one resource arrive in order, even after retries
    PARALLEL = "PARALLEL"


class PauseCause(StrEnum):
    """Why a webhook is paused. The values are stored, so they never change."""

    MANUAL = "manual"
    FAILING = "failing"  # every attempt has failed for days
    GONE = "gone"  # the receiver answered 410 Gone (RFC 9110, 15.5.11)


class WebhookCreated(Event, frozen=True, kw_only=True, tag="webhook.created"):
    """A customer subscribed a URL to events."""

    url: Personal  # may contain the receiver's credentials
    events: tuple[str, ...]
    mode: DeliveryMode
    from_seq: int  # the webhook receives events after this sequence number
    secret_version: int = 1
    description: Personal | None = None
    private_projects: bool = False  # whether it also receives what happens in private projects


class WebhookUpdated(Event, frozen=True, kw_only=True, tag="webhook.updated"):
    """The URL, the subscribed events, the delivery mode or the description of a webhook changed.

    Holds only the fields that changed.
    """

    url: Personal | UnsetType = UNSET
    events: tuple[str, ...] | UnsetType = UNSET
    mode: DeliveryMode | UnsetType = UNSET
    description: Personal | UnsetType | None = UNSET
    private_projects: bool | UnsetType = UNSET

    def field_keys(self) -> tuple[str, ...]:
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not UNSET)


class WebhookSecretRotated(Event, frozen=True, kw_only=True, tag="webhook.secret_rotated"):
    """Deliveries are signed with a new secret and, for a while, with the previous one as well."""

    sets = ("secret_version", "old_secrets")
    secret_version: int
    old_valid_until: datetime


class WebhookPaused(Event, frozen=True, kw_only=True, tag="webhook.paused"):
    """Deliveries are paused; events that happen meanwhile are sent once the webhook is resumed."""

    sets = ("paused",)
    cause: PauseCause


class WebhookResumed(Event, frozen=True, kw_only=True, tag="webhook.resumed"):
    """Deliveries resumed where they had stopped."""

    sets = ("paused",)


class WebhookReplayRequested(Event, frozen=True, kw_only=True, tag="webhook.replay_requested"):
    """Past events, from the first to the last given (both included), are to be sent again."""

    from_seq: int
    to_seq: int


class WebhookDeleted(Event, frozen=True, kw_only=True, tag="webhook.deleted"):
    """A webhook was moved to the trash; nothing more is sent to it."""

    sets = ("deleted",)


class WebhookRestored(Event, frozen=True, kw_only=True, tag="webhook.restored"):
    """A webhook was restored from the trash, unchanged."""

    sets = ("deleted",)


class WebhookPurged(Event, frozen=True, kw_only=True, tag="webhook.purged"):
    """The URL and the secrets of a webhook are gone for good."""

    sets = ("url", "description", "deleted", "purged")


WebhookEvent = (
    WebhookCreated
    | WebhookUpdated
    | WebhookSecretRotated
    | WebhookPaused
    | WebhookResumed
    | WebhookReplayRequested
    | WebhookDeleted
    | WebhookRestored
    | WebhookPurged
)
