"""The e-mail address of an account: proved by a token that only its mailbox gets.

A proof of the present address confirms it; a proof of another one makes that the address.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from domain.base import DomainError, Event, Personal, Refusal

# Events ---------------------------------------------------------------------


class EmailProofRequested(Event, frozen=True, kw_only=True, tag="user.email_proof_requested"):
    """A user asked to prove an address, theirs or a new one; it gets a token."""

    sets = ("proof",)
    proof_id: UUID
    email: Personal  # in its canonical form
    token_hash: str  # SHA-256 (hex) of a token of 256 unknown bits
    expires_at: datetime


class EmailChanged(Event, frozen=True, kw_only=True, tag="user.email_changed"):
    """A user proved another address, which is theirs from now on, confirmed."""

    sets = ("email", "email_confirmed")
    from_: Personal = field(name="from")
    to: Personal


AddressEvent = EmailProofRequested | EmailChanged


# State ----------------------------------------------------------------------


class RequestedProof(Struct, frozen=True, gc=False):
    """The newest request to prove an address; over once used or the password was changed."""

    proof_id: UUID
    email: str
    token_hash: str
    expires_at: datetime
    credentials: int


def requested_by(event: EmailProofRequested, credentials: int) -> RequestedProof:
    """Return the request that *event* makes, under the password of today."""
    return RequestedProof(
        event.proof_id, event.email, event.token_hash, event.expires_at, credentials
    )


def left_open(proof: RequestedProof | None, confirmed: str) -> RequestedProof | None:
    """Return the request that is still open once an address is confirmed: that of another one."""
    return None if proof is None or proof.email == confirmed else proof


def refuse_unless_provable(
    proof: RequestedProof | None, token_hash: str, credentials: int, now: datetime
) -> RequestedProof:
    """Return the open request that *token_hash* belongs to.

    :raises EmailProofIsOver: there is none.
    """
    if proof is None or proof.credentials != credentials or proof.expires_at <= now:
        raise EmailProofIsOver
    # Hashes of unknown tokens: how long a comparison takes tells nothing about a token.
    if proof.token_hash != token_hash:
        raise EmailProofIsOver
    return proof


# Errors ---------------------------------------------------------------------


class EmailProofIsOver(DomainError):
    """This link was used, replaced by a newer one, or has expired. Ask for a new one."""

    code = "email_proof_is_over"
    refusal = Refusal.CONFLICT
