"""Webhook: a customer's URL that receives an organization's events.

It holds the versions of the existing secrets, never a secret itself. Deliveries are not events but
operational data; a replay creates them again from the log.

Invariants
    1. A webhook subscribes to at least one well-formed event pattern.
    2. Rotating the secret raises its version by one; each earlier secret stays valid for a while.
    3. Repeating a setting, a pause or a resume records no event.
    4. A deleted webhook can only be restored.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, TypeVar, assert_never, get_args

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.base import ERASED, Event, NotFound
from domain.hooks.webhook.errors import ReplayRangeNotAllowed, SubscriptionNotAllowed
from domain.hooks.webhook.events import (
    DeliveryMode,
    PauseCause,
    WebhookCreated,
    WebhookDeleted,
    WebhookEvent,
    WebhookPaused,
    WebhookPurged,
    WebhookReplayRequested,
    WebhookRestored,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookUpdated,
)

EVENT_PATTERN = r"^(\*|[a-z][a-z_]*\.(\*|[a-z][a-z_]*))$"
"""One event (``task.created``), all events of one kind (``task.*``) or all events (``*``)."""

EVERYTHING = "*"

OLD_SECRETS_MAX = 4
"""Replaced secrets that still sign along with the newest: each lengthens the signature header."""

_T = TypeVar("_T")
_PATTERN = re.compile(EVENT_PATTERN)


class OldSecret(Struct, frozen=True, gc=False):
    """A replaced signing secret, which still signs until ``valid_until``."""

    version: int
    valid_until: datetime


class Webhook(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a webhook."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(WebhookEvent)

    url: str = ""
    events: tuple[str, ...] = ()
    mode: DeliveryMode = DeliveryMode.ORDERED
    description: str | None = None
    from_seq: int = 0
    private_projects: bool = False
    secret_version: int = 0
    old_secrets: tuple[OldSecret, ...] = ()
    paused: PauseCause | None = None
    created: bool = False
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: WebhookEvent) -> "Webhook":
        match event:
            case WebhookCreated():
                return Webhook(
                    url=event.url,
                    events=event.events,
                    mode=event.mode,
                    description=event.description,
                    from_seq=event.from_seq,
                    private_projects=event.private_projects,
                    secret_version=event.secret_version,
                    created=True,
                )
            case WebhookUpdated():
                return replace(
                    self,
                    url=_changed(event.url, self.url),
                    events=_changed(event.events, self.events),
                    mode=_changed(event.mode, self.mode),
                    description=_changed(event.description, self.description),
                    private_projects=_changed(event.private_projects, self.private_projects),
                )
            case WebhookSecretRotated():
                return replace(
                    self,
                    secret_version=event.secret_version,
                    old_secrets=self._replaced(event.old_valid_until),
                )
            case WebhookPaused():
                return replace(self, paused=event.cause)
            case WebhookResumed():
                return replace(self, paused=None)
            case WebhookReplayRequested():
                return self
            case WebhookDeleted() | WebhookRestored():
                return replace(self, deleted=isinstance(event, WebhookDeleted))
            case WebhookPurged():
                return replace(self, url=ERASED, description=None, deleted=True, purged=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: WebhookCreated) -> list[WebhookEvent]:
        """Create the webhook; a repeated call is a retry and records nothing."""
        refuse_unless_patterns(created.events)
        return [] if self.created else [created]

    def update(
        self,
        *,
        url: str | UnsetType = UNSET,
        events: tuple[str, ...] | UnsetType = UNSET,
        mode: DeliveryMode | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        private_projects: bool | UnsetType = UNSET,
    ) -> list[WebhookEvent]:
        """Change the settings that are given and leave the rest."""
        self.refuse_unless_here()
        if events is not UNSET:
            refuse_unless_patterns(events)
        private = UNSET if private_projects == self.private_projects else private_projects
        update = WebhookUpdated(
            url=UNSET if url == self.url else url,
            events=UNSET if events == self.events else events,
            mode=UNSET if mode == self.mode else mode,
            description=UNSET if description == self.description else description,
            private_projects=private,
        )
        return [] if update == WebhookUpdated() else [update]

    def rotate_secret(self, old_valid_until: datetime) -> list[WebhookEvent]:
        """Sign with the next version; the previous one stays valid too, until then."""
        self.refuse_unless_here()
        return [
            WebhookSecretRotated(
                secret_version=self.secret_version + 1, old_valid_until=old_valid_until
            )
        ]

    def pause(self, cause: PauseCause) -> list[WebhookEvent]:
        self.refuse_unless_here()
        return [] if self.paused else [WebhookPaused(cause=cause)]

    def resume(self) -> list[WebhookEvent]:
        self.refuse_unless_here()
        return [WebhookResumed()] if self.paused else []

    def replay(self, from_seq: int, to_seq: int) -> list[WebhookEvent]:
        """Send the events from *from_seq* to *to_seq* (both included, counted from 1) again."""
        self.refuse_unless_here()
        if not 1 <= from_seq <= to_seq:
            raise ReplayRangeNotAllowed(from_seq=from_seq, to_seq=to_seq)
        return [WebhookReplayRequested(from_seq=from_seq, to_seq=to_seq)]

    def delete(self) -> list[WebhookEvent]:
        self.refuse_unless_here()
        return [WebhookDeleted()]

    def restore(self) -> list[WebhookEvent]:
        if not self.created or self.purged:
            raise NotFound
        return [WebhookRestored()] if self.deleted else []

    def is_subscribed_to(self, tag: str) -> bool:
        """Return whether the webhook is subscribed to the event named *tag*."""
        return any(pattern_covers(pattern, tag) for pattern in self.events)

    def secret_versions(self, now: datetime) -> tuple[int, ...]:
        """Return the secret versions to sign with at *now*, newest first."""
        old = (secret.version for secret in self.old_secrets if now < secret.valid_until)
        return (self.secret_version, *old)

    def _replaced(self, valid_until: datetime) -> tuple[OldSecret, ...]:
        """Return the old secrets including the present one, newest first."""
        return (OldSecret(self.secret_version, valid_until), *self.old_secrets)[:OLD_SECRETS_MAX]

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the webhook was never created or is in the trash."""
        if not self.created or self.deleted:
            raise NotFound


def _changed(new: _T | UnsetType, old: _T) -> _T:
    return old if new is UNSET else new


def pattern_covers(pattern: str, tag: str) -> bool:
    """Return whether *pattern* (see ``EVENT_PATTERN``) matches the event named *tag*."""
    return pattern in {EVERYTHING, tag, f"{tag.partition('.')[0]}.*"}


def refuse_unless_patterns(patterns: Iterable[str]) -> None:
    """Refuse an empty subscription and malformed patterns.

    :raises SubscriptionNotAllowed: with ``malformed``, the patterns that are malformed.
    """
    patterns = tuple(patterns)
    malformed = [pattern for pattern in patterns if _PATTERN.fullmatch(pattern) is None]
    if malformed or not patterns:
        raise SubscriptionNotAllowed(malformed=malformed)
