"""Requests to prove an e-mail address, whose mailbox gets a token."""

from datetime import datetime, timedelta

from domain.base import UserId
from domain.identity.user.address import EmailProofRequested
from eventstore.identifiers import new_id
from runtime.system import System
from security.mail_tokens import MailPurpose, hash_of

PROOF_TOKEN_LIFETIME = timedelta(hours=1)
"""How long a token proves an address."""


def proof_of(system: System, user_id: UserId, email: str, now: datetime) -> EmailProofRequested:
    """Return a request to prove *email*, an address in its canonical form."""
    proof_id, expires_at = new_id(), now + PROOF_TOKEN_LIFETIME
    token = system.keys.mail_tokens.mint(MailPurpose.EMAIL, user_id, proof_id, expires_at)
    return EmailProofRequested(
        proof_id=proof_id, email=email, token_hash=hash_of(token), expires_at=expires_at
    )
