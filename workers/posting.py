"""One attempt: send the event as a signed POST, and record the response."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct

from commands.hooks.webhook import secret_name
from deliveries.body import body_of, ping_body
from deliveries.client import ReceiverResponse, WebhookClient
from deliveries.dialing import FailureKind, SendFailed
from deliveries.ping import PING
from deliveries.retry import Schedule
from deliveries.subscriptions import KnownWebhook
from domain.base import OrgId
from eventstore.append import LogUnavailable
from eventstore.identifiers import new_id
from eventstore.operations.records import Attempt, Delivery
from eventstore.recorded import Row
from runtime.system import System
from security.signing import sign

AT_ONCE_PER_DESTINATION_MAX = 16
"""Concurrent requests to one host and port, whichever endpoints they are for."""

_logger = logging.getLogger(__name__)


class _Unreadable(Exception):
    """The request cannot be built: no such event, an unknown version, or no secret to sign with."""


class Posting:
    """Sends for all endpoints of this process."""

    def __init__(self, system: System, client: WebhookClient, worker: str) -> None:
        self._system, self._client, self._worker = system, client, worker
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._secrets: dict[tuple[UUID, int], str] = {}

    def slot(self, url: str) -> asyncio.Semaphore:
        """Return what limits concurrent requests to the host of *url*; enter it before sending."""
        destination = urlsplit(url).netloc
        slot = self._slots.get(destination)
        if slot is None:
            slot = self._slots[destination] = asyncio.Semaphore(AT_ONCE_PER_DESTINATION_MAX)
        return slot

    async def post(
        self, known: KnownWebhook, delivery: Delivery, row: Row | None
    ) -> tuple[Attempt, ReceiverResponse | SendFailed]:
        """Send *delivery* once; *row* is its event, if already read.

        :raises LogUnavailable: the event or a secret cannot be read now.
        """
        at = self._system.clock()
        headers: Mapping[str, str] = {}
        outcome: ReceiverResponse | SendFailed
        try:
            body = await self._body(known.org_id, delivery, row)
            headers = await self._headers(known, delivery.event_id, at, body)
            outcome = await self._client.post(str(known.id), known.webhook.url, headers, body)
        except SendFailed as failed:
            outcome = failed
        except _Unreadable as unreadable:
            outcome = SendFailed(str(unreadable), FailureKind.PROTOCOL)
        except LogUnavailable:
            raise
        except Exception as error:
            # Without a record the attempts would never end, and the receiver may have got it
            # already.
            _logger.exception("sending %s failed", delivery.id)
            outcome = SendFailed(f"sending failed: {error!r}", FailureKind.PROTOCOL)
        return self._attempt(delivery, at, headers, outcome), outcome

    async def _body(self, org_id: OrgId, delivery: Delivery, row: Row | None) -> bytes:
        if delivery.type == PING:
            return ping_body(delivery)
        if row is None:
            rows = await self._system.log.organization(org_id, delivery.seq - 1, 1)
            row = rows[0] if rows else None
        if row is None or row.org_seq != delivery.seq:
            raise _Unreadable("the log has no such event")
        try:
            (recorded,) = await self._system.log.decoded([row])
            identity = await self._system.log.identity()
            return body_of(delivery, recorded, identity.epoch)
        except (msgspec.MsgspecError, KeyError) as error:
            raise _Unreadable("this version of Trackrecord cannot read the event") from error

    async def _headers(
        self, known: KnownWebhook, event_id: str, at: datetime, body: bytes
    ) -> Mapping[str, str]:
        versions = known.webhook.secret_versions(at)
        secrets = [await self._secret(known, version) for version in versions]
        live = [secret for secret in secrets if secret]
        if not live:
            raise _Unreadable("the webhook has no signing secret")
        signed = sign(live, event_id, int(at.timestamp()), body)
        return {"Content-Type": "application/json", **signed}

    async def _secret(self, known: KnownWebhook, version: int) -> str:
        webhook_id = known.id
        secret = self._secrets.get((webhook_id, version))
        if secret is None:
            sealed = await self._system.log.secret(webhook_id, known.org_id, secret_name(version))
            if sealed is None:
                return ""
            secret = self._system.keys.master.unwrap(sealed, webhook_id).decode()
            self._secrets[webhook_id, version] = secret
        return secret

    def _attempt(
        self,
        delivery: Delivery,
        at: datetime,
        headers: Mapping[str, str],
        outcome: ReceiverResponse | SendFailed,
    ) -> Attempt:
        n = delivery.attempts + 1
        came = outcome if isinstance(outcome, ReceiverResponse) else None
        failed = outcome if isinstance(outcome, SendFailed) else None
        took_s = (self._system.clock() - at).total_seconds()
        return Attempt(
            id=str(new_id()),
            delivery=delivery.id,
            endpoint=delivery.endpoint,
            seq=delivery.seq,
            n=n,
            at=at,
            ms=came.duration_ms if came else round(took_s * 1000),
            worker=self._worker,
            status=outcome.status,
            error=failed.reason if failed else None,
            kind=failed.kind.value if failed else None,
            ip=came.ip if came else None,
            excerpt=came.excerpt.decode(errors="replace") if came else "",
            request_headers=dict(headers),
            response_headers=came.headers if came else {},
        )


class SenderParts(Struct, frozen=True):
    """What all senders of a process share."""

    system: System
    posting: Posting
    schedule: Schedule
