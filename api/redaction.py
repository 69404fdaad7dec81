"""HTTP route that takes a text out of the log for good."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.params import FromPath, JSONBody, Parameter
from msgspec import Meta, Struct

from api.http.parameters import shows
from api.http.policy import needs
from api.http.query import NUMBER_MAX
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from commands.receipt import Receipt, Response
from commands.redaction.redact_content import RedactContent, RedactionReason
from commands.redaction.texts import EventTexts, SaidTexts
from domain.identity.organization.legal_hold import LegalHold
from domain.permission import Permission
from domain.redaction import NoSuchText, TextInUse, TextOfPerson

_encode = msgspec.json.Encoder().encode
_FIELDS_MAX = 10
RedactedSequence = FromPath[
    Annotated[int, Parameter(ge=1, le=NUMBER_MAX, description="Sequence number of the event")]
]


class NewRedaction(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Body of a redaction: why, and of the event's texts which ones; without *fields* all."""

    reason: RedactionReason
    fields: Annotated[tuple[str, ...], Meta(max_length=_FIELDS_MAX)] = ()


class GoneTexts(Struct, frozen=True):
    """The fields of an event, by its sequence number, whose texts are gone."""

    seq: int
    fields: tuple[str, ...]


class RedactionView(Struct, frozen=True):
    """The thing whose texts are gone, and from which of its events."""

    of: UUID
    redacted: list[GoneTexts]


class RedactionController(Controller):
    """Taking out what should never have been written."""

    path = "/api/audit/{seq:int}/redact"
    tags = ("Audit",)

    @post(
        "/",
        status_code=200,
        opt=needs(
            Permission.CONTENT_REDACT, fails=(LegalHold, NoSuchText, TextInUse, TextOfPerson)
        ),
        responses=shows(RedactionView),
    )
    async def redact(
        self, request: ApiRequest, seq: RedactedSequence, data: JSONBody[NewRedaction]
    ) -> ApiResponse:
        """Take what an event says out of the log: a password in a comment, a name in a title.

        It goes from all events of the same thing that say it, and reads `[erased]` from then on, in
        the activity, in past states, in exports and in what webhooks are still sent. All proofs
        hold. What the thing says now cannot be redacted: change it first.
        """
        texts = EventTexts(
            log=request.api.system.log,
            org_id=await request.own_organization(),
            seq=seq,
            fields=data.fields,
        )
        found: list[SaidTexts] = []
        command = RedactContent(reason=data.reason, texts=texts, note=found.append)

        def shown(_: Receipt) -> Response:
            return Response(200, 0, _encode(_view(found[-1])))

        def rehearsed() -> dict[str, object]:
            told: dict[str, object] = msgspec.to_builtins(_view(found[-1]))
            return told

        reply = Reply(stream=None, whole=shown, tagged=False, dry=rehearsed)
        return await run_command(request, command, reply)


def _view(said: SaidTexts) -> RedactionView:
    return RedactionView(said.stream, [GoneTexts(each.seq, each.fields) for each in said.texts])
