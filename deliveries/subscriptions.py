"""The existing webhooks, folded from their events; their claims tell which there are."""

import asyncio
import logging
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from commands.reservations import WEBHOOK
from domain.base import OrgId, WebhookId
from domain.catalog import EVENT_TYPES
from domain.hooks.webhook.events import WebhookReplayRequested
from domain.hooks.webhook.state import Webhook
from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.recorded import Row, fills_read, mark_of

TAGS = tuple(tag for tag in EVENT_TYPES if tag.startswith("webhook."))
_ROWS = 500
_logger = logging.getLogger(__name__)


class RequestedReplay(Struct, frozen=True):
    """A requested replay, first and last event included; ``version`` is that of the request."""

    version: int
    first: int
    last: int


class UnreadableEvent(Struct, frozen=True):
    """An event of a webhook that could not be read: at ``seq``, and why."""

    seq: int
    reason: str


class KnownWebhook(Struct, frozen=True):
    """A webhook as of ``version``; with ``unreadable`` nobody knows what it is now."""

    id: WebhookId
    org_id: OrgId
    version: int
    webhook: Webhook
    replays: tuple[RequestedReplay, ...] = ()
    unreadable: UnreadableEvent | None = None

    @property
    def can_be_sent_to(self) -> bool:
        """Whether a worker should serve it, even if it is paused."""
        return not self.webhook.deleted and self.unreadable is None


class LogNews(Struct):
    """The changes since the last look: organizations with new events, changed webhooks."""

    organizations: set[OrgId]
    webhooks: set[str]


class KnownWebhooks:
    """Follows the log and folds every webhook, including deleted ones.

    A webhook with an event that cannot be read is parked; all others continue.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._positions = dict.fromkeys(range(log.parts), 0)
        self._marks: dict[int, str] = {}
        self.known: dict[str, KnownWebhook] = {}

    async def open(self) -> None:
        """Fold the webhooks that there are; ``follow`` continues from there."""
        for part in self._positions:
            self._positions[part] = await self._log.last_position(part)
            self._marks[part] = await self._log.mark_at(self._positions[part], part)
            for org_id, webhook_id in await self._log.claimed_in(part, WEBHOOK):
                await self._fold_all(await self._log.stream_rows(webhook_id, OrgId(org_id)))
                await asyncio.sleep(0)  # a log in this process never yields by itself

    async def follow(self) -> LogNews:
        """Return what is new; empty if the log has not grown."""
        news = LogNews(set(), set())
        for part in self._positions:
            while rows := await self._log.news.after(self._positions[part], _ROWS, part):
                news.organizations.update(row.org_id for row in rows)
                about = [row for row in rows if row.tag in TAGS]
                await self._fold_all(about)
                news.webhooks.update(str(row.stream_id) for row in about)
                self._positions[part] = rows[-1].position
                self._marks[part] = mark_of(rows[-1])
                if not fills_read(rows, _ROWS):
                    break
        return news

    async def fit(self) -> bool:
        """Return whether the log still has the last events that were followed.

        If not, the log was restored from a backup, and what is known here belongs to another
        history.
        """
        for part, position in self._positions.items():
            mark = self._marks.get(part, "")
            if mark and await self._log.mark_at(position, part) != mark:
                return False
        return True

    async def _fold_all(self, rows: list[Row]) -> None:
        for row in rows:
            name = str(row.stream_id)
            known = self.known.get(name) or KnownWebhook(
                WebhookId(row.stream_id), row.org_id, 0, Webhook()
            )
            if row.version > known.version and known.unreadable is None:
                self.known[name] = await self._folded(known, row)

    async def _folded(self, known: KnownWebhook, row: Row) -> KnownWebhook:
        try:
            (recorded,) = await self._log.decoded([row])
            event: Any = recorded.event
            webhook = known.webhook.evolve(event)
        except LogUnavailable:
            raise
        except Exception as error:  # bytes that are not ours raise what they like
            reason = f"{type(error).__name__}: {error}"
            _logger.exception("webhook %s is parked: an event cannot be read", known.id)
            return replace(
                known, version=row.version, unreadable=UnreadableEvent(row.org_seq, reason[:500])
            )
        replays = known.replays
        if isinstance(event, WebhookReplayRequested):
            replays = (*replays, RequestedReplay(recorded.version, event.from_seq, event.to_seq))
        return replace(known, version=recorded.version, webhook=webhook, replays=replays)
