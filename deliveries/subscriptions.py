"""Which webhooks there are, known from the log itself."""

from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId, WebhookId
from domain.catalog import EVENT_TYPES
from domain.hooks.webhook.events import WebhookReplayRequested
from domain.hooks.webhook.state import Webhook
from eventstore.log import EventLog
from eventstore.recorded import Recorded

TAGS = tuple(tag for tag in EVENT_TYPES if tag.startswith("webhook."))
_ROWS = 500


class RequestedReplay(Struct, frozen=True):
    """Events asked for again, first and last included; ``version`` is that of the request."""

    version: int
    first: int
    last: int


class KnownWebhook(Struct, frozen=True):
    """A webhook as of ``version``."""

    id: WebhookId
    org_id: OrgId
    version: int
    webhook: Webhook
    replays: tuple[RequestedReplay, ...] = ()


class LogNews(Struct):
    """What has happened since the last look: organizations with new events, changed webhooks."""

    organizations: set[OrgId]
    webhooks: set[str]


class KnownWebhooks:
    """Follows the log and folds every webhook, those in the trash too."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._position = 0
        self.known: dict[str, KnownWebhook] = {}

    async def open(self) -> None:
        """Fold what the log has; ``follow`` goes on from there."""
        self._position = await self._log.last_position()
        after = 0
        while rows := await self._log.tail(after, _ROWS, TAGS):
            for recorded in rows:
                self._fold(recorded)
            after = rows[-1].position

    async def follow(self) -> LogNews:
        """Return what is new; nothing in it when the log has not grown."""
        news = LogNews(set(), set())
        while rows := await self._log.tail_rows(self._position, _ROWS):
            for row in rows:
                news.organizations.add(row.org_id)
            about = [row for row in rows if row.tag in TAGS]
            for recorded in await self._log.decoded(about):
                self._fold(recorded)
                news.webhooks.add(str(recorded.stream_id))
            self._position = rows[-1].position
        return news

    def _fold(self, recorded: Recorded) -> None:
        name = str(recorded.stream_id)
        webhook_id = WebhookId(recorded.stream_id)
        known = self.known.get(name) or KnownWebhook(webhook_id, recorded.org_id, 0, Webhook())
        if recorded.version <= known.version:
            return
        event, replays = recorded.event, known.replays
        if isinstance(event, WebhookReplayRequested):
            replays = (*replays, RequestedReplay(recorded.version, event.from_seq, event.to_seq))
        self.known[name] = replace(
            known,
            version=recorded.version,
            webhook=known.webhook.evolve(event),  # type: ignore[arg-type]  # TAGS are its events
            replays=replays,
        )
