"""Commands on the second factor of an account."""

from commands.base import Change, Context, Decision, changes_of
from commands.identity.session import end_others
from commands.identity.user import UserCommand
from commands.reads import Reads
from domain.identity.session.events import (
    Factor,
    RevocationCause,
    SessionReauthenticated,
    SessionRevoked,
)
from domain.identity.session.state import Session
from domain.identity.user.state import User
from domain.identity.user.totp import (
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondProof,
    TotpDisabled,
    TotpEnabled,
    TotpUsed,
)
from eventstore.append import Secret

TOTP_SECRET = "totp"  # noqa: S105  the name of the secret
"""The name under which the secret of a user's authenticator is kept beside the log."""

TOTP_PROPOSED = "totp proposed"
"""The same for one that the user has not confirmed by a code yet."""


class EnableTotp(UserCommand, frozen=True, kw_only=True):
    """Turn two-factor login on, with the authenticator whose code was verified.

    Sessions that began with the password alone end, but for the caller's: the code was its second
    proof.
    """

    records = (TotpEnabled, SessionReauthenticated, SessionRevoked)
    step: int
    recovery: tuple[str, ...]
    sealed_secret: bytes

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        enabled = Change(self.user_id, user.enable_totp(self.step, self.recovery))
        own: Decision = []
        if context.session_id is not None:
            session = await read(Session, context.session_id)
            proved = session.reauthenticate(Factor.TOTP, context.now)
            own = changes_of(context.session_id, proved)
        return [
            enabled,
            *own,
            *await end_others(read, context, context.session_id, RevocationCause.SECOND_FACTOR),
            Secret(self.user_id, TOTP_SECRET, self.sealed_secret),
            Secret(self.user_id, TOTP_PROPOSED, None),
        ]


class RenewRecoveryCodes(UserCommand, frozen=True, kw_only=True):
    """Replace the recovery codes, whether used or not."""

    records = (TotpUsed, RecoveryCodesRenewed)
    proof: SecondProof
    recovery: tuple[str, ...]

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        return changes_of(self.user_id, user.renew_recovery_codes(self.proof, self.recovery))


class DisableTotp(UserCommand, frozen=True, kw_only=True):
    """Turn two-factor login off, by a code or a recovery code."""

    records = (TotpUsed, RecoveryCodeUsed, TotpDisabled)
    proof: SecondProof

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        return [
            Change(self.user_id, user.disable_totp(self.proof)),
            Secret(self.user_id, TOTP_SECRET, None),
        ]
