"""Rows and appends for the store's own tests: bytes whose meaning does not matter here."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from domain.base import OrgId
from eventstore.append import Append
from eventstore.recorded import Row
from tests.domain.spec import ACME

AT = 1_772_357_400_000_001
"""A moment in microseconds since 1970."""


def row(stream: UUID, version: int, **about: Any) -> Row:
    """Return an event that no position was assigned to yet."""
    unique = uuid4().hex.encode()
    details: dict[str, Any] = {
        "tag": "task.created",
        "state": b'{"n":%d,"by":"%b","text":"Z\xc3\xbcrich \\u0000"}' % (version, unique),
        "private": None,
        "org_id": ACME,
    }
    return Row(
        position=0, stream_id=stream, version=version, org_seq=0, recorded_at=AT, **details | about
    )


def command(
    stream: UUID,
    after: int = 0,
    *,
    events: int = 1,
    org_id: OrgId = ACME,
    reads: Mapping[UUID, int] | None = None,
    **about: Any,
) -> Append:
    """Return a command that writes *events* to *stream*, decided when it was at *after*."""
    tag, private = about.pop("tag", "task.created"), about.pop("private", None)
    rows = [
        row(stream, after + n, org_id=org_id, tag=tag, private=private)
        for n in range(1, events + 1)
    ]
    beside: dict[str, Any] = {"keys": {}}
    return Append(
        rows=rows,
        expects={stream: after, **(reads or {})},
        org_id=org_id,
        **(beside | about),
    )
