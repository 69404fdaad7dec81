"""What an attempt leads to: the delivery's next state, and an endpoint that is given up."""

import logging

from commands.base import Context
from commands.hooks.webhook import DisableWebhook
from deliveries.records import Attempt, Delivery, DeliveryStatus
from deliveries.retry import Verdict
from deliveries.subscriptions import KnownWebhook
from domain.base import DomainError
from domain.hooks.webhook.events import PauseCause
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.identifiers import new_id
from eventstore.recorded import Actor, ActorKind
from runtime.system import System

_logger = logging.getLogger(__name__)


def apply_verdict(delivery: Delivery, verdict: Verdict, attempt: Attempt) -> None:
    """Change *delivery* as the verdict on its newest attempt says."""
    delivery.status = verdict.status
    delivery.open = verdict.status is DeliveryStatus.RETRYING
    delivery.attempts = attempt.n
    delivery.last_status, delivery.last_error = attempt.status, attempt.error
    delivery.next_at = verdict.next_at or delivery.next_at
    if not delivery.open:
        delivery.ended_at = attempt.at


async def disable(system: System, known: KnownWebhook, cause: PauseCause) -> bool:
    """Have a webhook paused by an event; say whether that is so now."""
    command = DisableWebhook(webhook_id=known.id, cause=cause)
    by = Context(
        actor=Actor(ActorKind.SYSTEM, known.id),
        now=system.clock(),
        command_id=new_id(),
        org_id=known.org_id,
    )
    try:
        await system.commands.handle(command, by)
    except (DomainError, ConcurrencyConflict, LogUnavailable) as error:
        _logger.warning("webhook %s not disabled: %s", known.id, error)
        return False
    return True
