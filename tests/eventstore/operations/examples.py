"""Endpoints, deliveries and attempts for the tests of operational state."""

from datetime import UTC, datetime, timedelta
from typing import Any

from eventstore.operations.records import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    ImportProgress,
    Mail,
)

NOW = datetime(2026, 3, 1, 9, 30, 0, 123_456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE_S = 60.0
PATIENCE_S = 30.0
"""How long a call may take on a busy machine before a test fails."""


def endpoint(name: str = "w", **about: Any) -> Endpoint:
    return Endpoint(**{"id": name, "org": "acme", "fan": 0, **about})


def delivery(seq: int, of: str = "w", **about: Any) -> Delivery:
    given: dict[str, Any] = {
        "id": f"{of}:{seq}",
        "endpoint": of,
        "org": "acme",
        "seq": seq,
        "prev": seq - 1,
        "event_id": f"e{seq}",
        "type": "task.created",
        "stream": "s",
        "created_at": NOW,
        "next_at": NOW,
    }
    return Delivery(**{**given, **about})


def ended(seq: int, of: str = "w", at: datetime = NOW) -> Delivery:
    return delivery(seq, of, status=DeliveryStatus.SUCCESS, open=False, ended_at=at, attempts=1)


def mail(event_id: str) -> Mail:
    return Mail(
        id=event_id,
        org="acme",
        part=0,
        position=1,
        type="member.invited",
        created_at=NOW,
        next_at=NOW,
    )


def importing(id_: str) -> ImportProgress:
    return ImportProgress(
        id=id_,
        org="acme",
        project="eng",
        correlation_id="c",
        lines=3,
        started_at=NOW,
        updated_at=NOW,
    )


def attempt(seq: int, n: int = 1, of: str = "w", **about: Any) -> Attempt:
    given: dict[str, Any] = {
        "id": f"{of}:{seq}:{n}",
        "delivery": f"{of}:{seq}",
        "endpoint": of,
        "seq": seq,
        "n": n,
        "at": NOW,
        "ms": 12,
        "worker": "one",
        "status": 200,
        "excerpt": "naïve 🙂",
        "request_headers": {"webhook-id": "ä"},
    }
    return Attempt(**{**given, **about})
