"""HTTP routes of what proves the audit log: the signed checkpoint, and proofs under one."""

import base64
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from api.audit import note_read
from api.http.parameters import shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.query import NUMBER_MAX
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from audit.export import instant
from audit.opened import Opened, open_all
from audit.proof.check import PROOF_FORMAT
from audit.proof.proving import Prover, SignedRoot, newest_head
from domain.permission import Permission
from eventstore.recorded import recorded_time
from eventstore.trees import TreeHead

_encode = msgspec.json.Encoder().encode
_FAILS = ((503, "log_contradicted"),)


class CheckpointView(Struct, frozen=True, rename="camel"):
    """The newest signed tree head of an organization and the public key that verifies it."""

    size: int
    note: str
    vkey: str


class ProvenEvent(Struct, frozen=True, rename="camel"):
    """What was recorded: ``state`` is the stored text, ``disclosed`` its readable commitments.

    ``disclosed`` has salt and value for each path. ``recordedAt`` is not part of what is proven.
    """

    recorded_at: str
    state: str
    disclosed: dict[str, tuple[str, str]]


class InclusionView(Struct, frozen=True, rename="camel"):
    """The proof that an event is among the first ones of an organization, as RFC 9162 2.1.3 has it.

    Hashes are in hexadecimal, those of ``proof`` lowest first; the leaf has index ``seq`` - 1.
    ``event`` is null if it cannot be read.
    """

    format: str
    kind: Literal["inclusion"]
    organization: UUID
    vkey: str
    seq: int
    leaf_hash: str
    proof: list[str]
    size: int
    root: str
    checkpoint: str
    event: ProvenEvent | None


class RootView(Struct, frozen=True):
    """A tree by its size and root, and the signed checkpoint that has both."""

    size: int
    root: str
    checkpoint: str


class ConsistencyView(Struct, frozen=True, rename={"first": "from", "second": "to"}):
    """The proof that a log only grew between two checkpoints, as RFC 9162 2.1.4 has it.

    Hashes are in hexadecimal, those of ``proof`` lowest first.
    """

    format: str
    kind: Literal["consistency"]
    organization: UUID
    vkey: str
    proof: list[str]
    first: RootView
    second: RootView


Sequence = FromQuery[
    Annotated[
        int, QueryParameter(name="seq", ge=1, le=NUMBER_MAX, description="The event's number")
    ]
]
TreeSize = FromQuery[
    Annotated[
        int | None,
        QueryParameter(
            name="size", ge=1, le=NUMBER_MAX, description="Among so many; by default all"
        ),
    ]
]
OldSize = FromQuery[
    Annotated[
        int,
        QueryParameter(name="from", ge=1, le=NUMBER_MAX, description="Size of a checkpoint"),
    ]
]
NewSize = FromQuery[
    Annotated[
        int | None,
        QueryParameter(
            name="to", ge=1, le=NUMBER_MAX, description="Size of a later one; by default the newest"
        ),
    ]
]


class AuditProofController(Controller):
    """What proves the log of an organization to whoever has the public key."""

    path = "/api/audit"
    tags = ("Audit",)

    @get(
        "/checkpoint",
        opt=needs(Permission.AUDIT_READ, fails=_FAILS),
        responses=shows(CheckpointView),
    )
    async def get_checkpoint(self, request: ApiRequest) -> ApiResponse:
        """Return the newest signed checkpoint. Keep it: it proves later that the log only grew."""
        head = await _newest(request)
        return ApiResponse(_encode(CheckpointView(head.size, head.note, _vkey(request))))

    @get(
        "/proof/inclusion",
        opt=needs(Permission.AUDIT_READ, fails=_FAILS),
        responses=shows(InclusionView),
    )
    async def prove_inclusion(
        self, request: ApiRequest, seq: Sequence, size: TreeSize = None
    ) -> ApiResponse:
        """Prove one event to somebody who has not got the log, with what was recorded.

        The answer can be verified offline as it is, under the signed checkpoint in it.
        """
        newest = await _newest(request)
        within = _signed("size", size, newest)
        if seq > within:
            raise invalid(FieldError("seq", f"Expected at most {within}, the size of the tree"))
        system = request.api.system
        proven = await Prover(system.log, system.tree_signer, newest).inclusion(seq, within)
        [opened] = await open_all(system.log, [proven.row])
        await note_read(request)
        return ApiResponse(
            _encode(
                InclusionView(
                    format=PROOF_FORMAT,
                    kind="inclusion",
                    organization=request.organization,
                    vkey=_vkey(request),
                    seq=seq,
                    leaf_hash=proven.leaf.hex(),
                    proof=[node.hex() for node in proven.path],
                    size=within,
                    root=proven.signed.root.hex(),
                    checkpoint=proven.signed.note,
                    event=_event(opened) if isinstance(opened, Opened) else None,
                )
            )
        )

    @get(
        "/proof/consistency",
        opt=needs(Permission.AUDIT_READ, fails=_FAILS),
        responses=shows(ConsistencyView),
    )
    async def prove_consistency(
        self, request: ApiRequest, first: OldSize, second: NewSize = None
    ) -> ApiResponse:
        """Prove that the log only grew from one checkpoint to a later one."""
        newest = await _newest(request)
        later = _signed("to", second, newest)
        if first > later:
            told = "`to`" if second is not None else f"{later}, the newest checkpoint"
            raise invalid(FieldError("from", f"Expected at most {told}"))
        system = request.api.system
        proven = await Prover(system.log, system.tree_signer, newest).consistency(first, later)
        return ApiResponse(
            _encode(
                ConsistencyView(
                    format=PROOF_FORMAT,
                    kind="consistency",
                    organization=request.organization,
                    vkey=_vkey(request),
                    proof=[node.hex() for node in proven.path],
                    first=_root(proven.first),
                    second=_root(proven.second),
                )
            )
        )


async def _newest(request: ApiRequest) -> TreeHead:
    system = request.api.system
    return await newest_head(system.log, system.tree_signer, request.organization)


def _vkey(request: ApiRequest) -> str:
    return request.api.system.tree_signer.signer.vkey


def _signed(parameter: str, size: int | None, newest: TreeHead) -> int:
    """Return *size*, by default that of the newest head.

    :raises Problem: it is larger than that.
    """
    if size is not None and size > newest.size:
        told = f"Expected at most {newest.size}, the size of the newest checkpoint"
        raise invalid(FieldError(parameter, told))
    return newest.size if size is None else size


def _root(signed: SignedRoot) -> RootView:
    return RootView(signed.size, signed.root.hex(), signed.note)


def _event(opened: Opened) -> ProvenEvent:
    disclosed = {
        path: (base64.b64encode(salt).decode(), value)
        for path, (salt, value) in opened.disclosed.items()
    }
    at = instant(recorded_time(opened.row.recorded_at))
    return ProvenEvent(at, opened.row.state.decode(), disclosed)
