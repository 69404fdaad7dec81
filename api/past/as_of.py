"""The parameter ``as_of``: a GET shows a thing as it was at a moment."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.params import FromQuery, QueryParameter

from api.http.problem import FieldError, Problem, invalid
from api.http.query import is_time
from api.http.request import ApiRequest
from commands.past.moment import Moment
from commands.past.results import Sized, TooMuchPastWork
from domain.base import NotFound
from domain.identity.organization.state import Organization
from domain.identity.plan import past_since, past_window_reached
from eventstore.recorded import recorded_time
from projections.base import View

R = TypeVar("R", bound=Sized)

_SEQUENCE = re.compile(r"[1-9][0-9]{0,17}")
_EXPECTED = (
    "Expected a sequence number such as 120, or a time with its offset from UTC,"
    " such as 2026-01-31T12:00:00Z"
)
AS_OF = "as_of"

AskedMoment = FromQuery[
    Annotated[
        str | None,
        QueryParameter(
            name=AS_OF,
            description="Show it as it was then: an RFC 3339 time, or the sequence number of an"
            " event of the organization, which counts, too",
            schema_extra={
                "anyOf": [{"format": "date-time"}, {"pattern": f"^{_SEQUENCE.pattern}$"}]
            },
        ),
    ]
]


class MomentView(View, frozen=True, kw_only=True):
    """The moment that is shown: the last event that counts, and when it was recorded.

    To ask for exactly the same again, send ``seq`` as ``as_of``.
    """

    seq: int
    at: datetime


_encode = msgspec.json.Encoder().encode


async def moment_of(request: ApiRequest, asked: str) -> Moment:
    """Return the moment that a caller *asked* for.

    :raises Problem: 422, it is none, or has not come yet.
    :raises PlanLimitReached: it is longer ago than the plan of the organization reaches.
    :raises NotFound: nothing of the organization existed yet.
    """
    if _SEQUENCE.fullmatch(asked):
        seq = int(asked)
        await _refuse_before_window(request, seq)
    elif is_time(asked) is None:
        seq = await _seq_at(request, datetime.fromisoformat(asked.upper()))
    else:
        raise invalid(FieldError(AS_OF, _EXPECTED))
    if not seq:
        raise NotFound
    rows = await request.api.system.log.organization_at(request.organization, [seq])
    if not rows:
        raise invalid(FieldError(AS_OF, "There is no event with this number yet"))
    return Moment(seq, recorded_time(rows[0].recorded_at))


def refuse_beside_as_of(**others: Any) -> None:
    """Refuse parameters that ask for what is not known of a past moment.

    :raises Problem: 422, one of *others* is given.
    """
    errors = [
        FieldError(name, f"This cannot be combined with `{AS_OF}`")
        for name, value in others.items()
        if value is not None
    ]
    if errors:
        raise invalid(*errors)


async def _seq_at(request: ApiRequest, at: datetime) -> int:
    now = request.api.system.clock()
    if at > now:
        raise invalid(FieldError(AS_OF, "This time has not come yet"))
    plan = (await request.newest(Organization, request.organization)).state.plan
    earliest = past_since(plan, now)
    if earliest is not None and at < earliest:
        raise past_window_reached(plan, now - at)
    return await request.api.times.seq_at(request.organization, at)


async def _refuse_before_window(request: ApiRequest, seq: int) -> None:
    """Refuse a sequence that was the newest only before the window of the plan.

    :raises PlanLimitReached: it was.
    """
    org_id, now = request.organization, request.api.system.clock()
    plan = (await request.newest(Organization, org_id)).state.plan
    earliest = past_since(plan, now)
    if earliest is None or seq >= await request.api.times.seq_at(org_id, earliest):
        return
    [following] = await request.api.system.log.organization_at(org_id, [seq + 1])
    raise past_window_reached(plan, now - recorded_time(following.recorded_at))


async def worked_out(request: ApiRequest, key: object, work: Callable[[], Awaitable[R]]) -> R:
    """Return a result of long work about the past of the caller's organization; *key* names it.

    :raises Problem: 503 if too many are being worked on.
    """
    log = request.api.system.log
    try:
        return await request.api.past_results.of((log.epoch, request.organization, key), work)
    except TooMuchPastWork:
        detail = "Too many past moments are being read. Try again."
        raise Problem(503, "busy", detail) from None


def as_of_json(moment: Moment) -> bytes:
    """Return the JSON that says which moment is shown."""
    return _encode(MomentView(seq=moment.seq, at=moment.at))


def stamped(body: bytes, moment: Moment) -> bytes:
    """Return the JSON of an object with the moment that it shows."""
    return b'%b,"asOf":%b}' % (body[:-1], as_of_json(moment))
