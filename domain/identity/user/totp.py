"""The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes.

The secret behind the codes is kept beside the log, sealed under the person's key. The log holds
which step of time was used last, so that a code works once, and hashes of the recovery codes.
"""

from msgspec import Struct

from domain.base import DomainError, Event, Refusal

# Events ---------------------------------------------------------------------


class TotpEnabled(Event, frozen=True, kw_only=True, tag="user.totp_enabled"):
    """A user confirmed an authenticator, whose codes every login needs from now on."""

    sets = ("totp",)
    step: int  # of the code that confirmed it, which thereby is used
    recovery: tuple[str, ...]  # keyed hashes (hex) of codes of 80 random bits


class TotpUsed(Event, frozen=True, kw_only=True, tag="user.totp_used"):
    """A user proved who they are by a code, which works only once."""

    sets = ("totp",)
    step: int  # whole periods of 30 s since 1970


class RecoveryCodeUsed(Event, frozen=True, kw_only=True, tag="user.recovery_code_used"):
    """A user proved who they are by a recovery code, which works only once."""

    sets = ("totp",)
    code_hash: str


class RecoveryCodesRenewed(Event, frozen=True, kw_only=True, tag="user.recovery_codes_renewed"):
    """A user got new recovery codes; the old ones work no more."""

    sets = ("totp",)
    recovery: tuple[str, ...]


class TotpDisabled(Event, frozen=True, kw_only=True, tag="user.totp_disabled"):
    """A user turned the second factor off."""

    sets = ("totp",)


TotpEvent = TotpEnabled | TotpUsed | RecoveryCodeUsed | RecoveryCodesRenewed | TotpDisabled


# State ----------------------------------------------------------------------


class Totp(Struct, frozen=True, gc=False):
    """An enabled second factor: the step that was used last, and the unused recovery codes."""

    step: int
    recovery: tuple[str, ...]


class SecondProof(Struct, frozen=True):
    """A code that was verified: its step, or the hash of a recovery code."""

    step: int | None = None
    recovery: str | None = None


def totp_after(totp: Totp | None, event: TotpEvent) -> Totp | None:
    """Return the second factor after *event*."""
    if isinstance(event, TotpEnabled):
        return Totp(event.step, event.recovery)
    if isinstance(event, TotpDisabled) or totp is None:
        return None
    match event:
        case TotpUsed():
            return Totp(event.step, totp.recovery)
        case RecoveryCodeUsed():
            left = tuple(code for code in totp.recovery if code != event.code_hash)
            return Totp(totp.step, left)
        case RecoveryCodesRenewed():
            return Totp(totp.step, event.recovery)


def use_proof(totp: Totp | None, proof: SecondProof) -> list[TotpEvent]:
    """Return the events that use up a code.

    :raises TotpNotEnabled: there is no second factor.
    :raises WrongCode: it was used before, or is no code of this account.
    """
    if totp is None:
        raise TotpNotEnabled
    if proof.step is not None and proof.step > totp.step:
        return [TotpUsed(step=proof.step)]
    if proof.recovery is not None and proof.recovery in totp.recovery:
        return [RecoveryCodeUsed(code_hash=proof.recovery)]
    raise WrongCode


# Errors ---------------------------------------------------------------------


class TotpAlreadyEnabled(DomainError):
    """Two-factor login is on already. Turn it off before you set up another authenticator."""

    code = "totp_already_enabled"
    refusal = Refusal.CONFLICT


class TotpNotEnabled(DomainError):
    """Two-factor login is off. Set up an authenticator first."""

    code = "totp_not_enabled"
    refusal = Refusal.CONFLICT


class TotpRequired(DomainError):
    """This organization requires two-factor login. Set up an authenticator first."""

    code = "totp_required"
    refusal = Refusal.FORBIDDEN


class WrongCode(DomainError):
    """This code is wrong, or was used before. Wait for the next one."""

    code = "wrong_code"
    refusal = Refusal.UNAUTHENTICATED
