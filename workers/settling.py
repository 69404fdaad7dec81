"""The consequences of an attempt: the delivery's next state, and endpoints that are given up."""

import logging
from datetime import datetime

from commands.base import Context
from commands.hooks.webhook import DisableWebhook
from deliveries.client import ReceiverResponse
from deliveries.dialing import FailureKind, SendFailed
from deliveries.ping import PING
from deliveries.retry import Schedule, Verdict, judge
from deliveries.subscriptions import KnownWebhook
from domain.base import DomainError
from domain.hooks.webhook.events import PauseCause
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.operations.records import Attempt, Delivery, DeliveryStatus
from eventstore.recorded import Actor, ActorKind
from runtime.system import System

_logger = logging.getLogger(__name__)


def judged(
    schedule: Schedule, delivery: Delivery, outcome: ReceiverResponse | SendFailed, now: datetime
) -> Verdict:
    """Return the verdict on the newest attempt of *delivery*; any exception counts as a failure.

    The receiver chose every byte of its response. Without a verdict there would be no record, and
    the attempts would never end.
    """
    try:
        verdict = judge(schedule, delivery.tries, outcome, now)
    except Exception:
        _logger.exception(
            "the response to %s could not be evaluated; counted as failed", delivery.id
        )
        failed = SendFailed("the response could not be evaluated", FailureKind.PROTOCOL)
        verdict = judge(schedule, delivery.tries, failed, now)
    if delivery.type == PING and verdict.status is not DeliveryStatus.SUCCESS:
        return Verdict(status=DeliveryStatus.FAILED)
    return verdict


def apply_verdict(delivery: Delivery, verdict: Verdict, attempt: Attempt) -> None:
    """Change *delivery* according to the verdict on its newest attempt."""
    delivery.status = verdict.status
    delivery.open = verdict.status is DeliveryStatus.RETRYING
    delivery.attempts = attempt.n
    delivery.last_status, delivery.last_error = attempt.status, attempt.error
    delivery.next_at = verdict.next_at or delivery.next_at
    if not delivery.open:
        delivery.ended_at = attempt.at


async def disable(system: System, known: KnownWebhook, cause: PauseCause) -> bool:
    """Pause a webhook by an event; return whether it is paused now."""
    command = DisableWebhook(webhook_id=known.id, cause=cause)
    by = Context(
        actor=Actor(ActorKind.SYSTEM, known.id),
        now=system.clock(),
        org_id=known.org_id,
    )
    try:
        await system.commands.handle(command, by)
    except (DomainError, ConcurrencyConflict, LogUnavailable) as error:
        _logger.warning("webhook %s not disabled: %s", known.id, error)
        return False
    return True
