"""Notices about parked webhooks, which have an event that cannot be read."""

import logging

from deliveries.subscriptions import KnownWebhook, KnownWebhooks
from eventstore.operations.records import Notice, NoticeKind
from runtime.system import System

_NOTICES_MAX = 1_000
_logger = logging.getLogger(__name__)


def parked_id(known: KnownWebhook) -> str:
    """Return the id of a webhook's notice, the same in every worker."""
    return f"{known.id}:{NoticeKind.PARKED.value}"


async def report_parked(system: System, known: KnownWebhook) -> None:
    """Store a notice that a webhook is parked."""
    if known.unreadable is None:
        return
    at = known.unreadable.seq
    notice = Notice(
        id=parked_id(known),
        endpoint=str(known.id),
        org=str(known.org_id),
        kind=NoticeKind.PARKED,
        at=system.clock(),
        first=at,
        last=at,
        detail=f"an event of this webhook cannot be read: {known.unreadable.reason}",
    )
    await system.operations.note(notice)


async def report_all_parked(system: System, webhooks: KnownWebhooks) -> None:
    """Update the notices to what this version can read: a newer version may read more."""
    for known in webhooks.known.values():
        await report_parked(system, known)
    for notice in await system.operations.notices(None, _NOTICES_MAX):
        webhook = webhooks.known.get(notice.endpoint)
        readable = webhook is not None and webhook.unreadable is None
        if notice.kind is NoticeKind.PARKED and readable:
            _logger.info("webhook %s is no longer parked", notice.endpoint)
            await system.operations.drop_notice(notice.id)
