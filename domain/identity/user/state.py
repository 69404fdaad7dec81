"""User: a person's account, the same in every organization they belong to.

The password hash is deliberately not part of it: an old, weak hash would stay in the log forever.

Invariants
    1. A deactivated account can only be reactivated; failed logins are recorded all the same.
    2. A code of the second factor works once; it can only be turned off by another one.
    3. Setting a field to the value it has records no event.
    4. An account that is being erased is nobody's: it only gets erased.
"""

from datetime import datetime
from typing import ClassVar, assert_never, get_args
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.base import ERASED, Event, NotFound, OrgId
from domain.identity.user.address import (
    EmailChanged,
    EmailProofRequested,
    RequestedProof,
    left_open,
    refuse_unless_provable,
    requested_by,
)
from domain.identity.user.erasure import UserErased, UserErasureRequested
from domain.identity.user.errors import AccountDeactivated, ResetIsOver
from domain.identity.user.events import (
    EmailConfirmed,
    HomeOrganizationChanged,
    LoginFailed,
    NewNetworkSeen,
    PasswordChanged,
    PasswordResetRequested,
    UserDeactivated,
    UserEvent,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
)
from domain.identity.user.totp import (
    RecoveryCodesRenewed,
    SecondProof,
    Totp,
    TotpAlreadyEnabled,
    TotpDisabled,
    TotpEnabled,
    TotpEvent,
    totp_after,
    use_proof,
)


class RequestedReset(Struct, frozen=True, gc=False):
    """The newest request to reset a password; over once the password or the address changed."""

    reset_id: UUID
    token_hash: str
    expires_at: datetime
    credentials: int


class User(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about an account."""

    platform: ClassVar[bool] = True
    folds: ClassVar[tuple[type[Event], ...]] = get_args(UserEvent)

    registered: bool = False
    email: str = ""
    email_confirmed: bool = False
    name: str = ""
    time_zone: str | None = None
    active: bool = True
    erasing: bool = False
    erased: bool = False
    home_organization_id: OrgId | None = None
    """Where the next session starts; each session has an organization of its own."""

    credentials: int = 0
    """How many times the password was changed; sessions started under an earlier count are over."""

    reset: RequestedReset | None = None
    proof: RequestedProof | None = None
    totp: Totp | None = None

    def evolve(self, event: UserEvent) -> "User":
        if isinstance(event, TotpEvent):
            return replace(self, totp=totp_after(self.totp, event))
        match event:
            case LoginFailed() | NewNetworkSeen():
                return self
            case PasswordChanged():
                return replace(self, credentials=self.credentials + 1)
            case PasswordResetRequested():
                reset = RequestedReset(
                    event.reset_id, event.token_hash, event.expires_at, self.credentials
                )
                return replace(self, reset=reset)
            case UserRegistered():
                return User(registered=True, email=event.email, name=event.name)
            case EmailConfirmed():
                return replace(self, email_confirmed=True, proof=left_open(self.proof, self.email))
            case EmailProofRequested():
                return replace(self, proof=requested_by(event, self.credentials))
            case EmailChanged():
                # A token that resets the password may wait in the old mailbox.
                return replace(self, email=event.to, email_confirmed=True, proof=None, reset=None)
            case UserProfileChanged():
                return replace(self, **{name: getattr(event, name) for name in event.field_keys()})
            case HomeOrganizationChanged():
                return replace(self, home_organization_id=event.organization_id)
            case UserDeactivated():
                return replace(self, active=False)
            case UserReactivated():
                return replace(self, active=True)
            case UserErasureRequested():
                return User(registered=True, email=ERASED, name=ERASED, active=False, erasing=True)
            case UserErased():
                return replace(self, erased=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def register(self, registered: UserRegistered) -> list[UserEvent]:
        """Create the account; a repeated call is a retry and records nothing."""
        return [] if self.registered else [registered]

    def confirm_email(self) -> list[UserEvent]:
        self.refuse_unless_active()
        return [] if self.email_confirmed else [EmailConfirmed()]

    def request_email_proof(self, requested: EmailProofRequested) -> list[UserEvent]:
        """Request a proof of an address; an older request is over."""
        self.refuse_unless_active()
        done = requested.email == self.email and self.email_confirmed
        return [] if done else [requested]

    def prove_email(self, token_hash: str, now: datetime) -> list[UserEvent]:
        """Confirm the address, or change it to the one that was proved.

        :raises EmailProofIsOver: the token is another's, was used or has expired.
        """
        self.refuse_unless_active()
        proof = self.provable(token_hash, now)
        if proof.email == self.email:
            return self.confirm_email()
        return [EmailChanged(from_=self.email, to=proof.email)]

    def provable(self, token_hash: str, now: datetime) -> RequestedProof:
        """Return the open request to prove an address that *token_hash* belongs to.

        :raises EmailProofIsOver: there is none.
        """
        return refuse_unless_provable(self.proof, token_hash, self.credentials, now)

    def change_password(self) -> list[UserEvent]:
        self.refuse_unless_active()
        return [PasswordChanged()]

    def request_reset(self, requested: PasswordResetRequested) -> list[UserEvent]:
        """Request a new password; an older request is over."""
        self.refuse_unless_active()
        return [requested]

    def reset_password(self, token_hash: str, now: datetime) -> list[UserEvent]:
        """Change the password by the token of the newest request, which proves the address, too.

        :raises ResetIsOver: the token is another's, was used or has expired.
        """
        self.refuse_unless_resettable(token_hash, now)
        return [*self.change_password(), *self.confirm_email()]

    def refuse_unless_resettable(self, token_hash: str, now: datetime) -> None:
        """Raise ResetIsOver unless *token_hash* is that of the open request."""
        reset = self.reset
        if reset is None or not self.active or reset.credentials != self.credentials:
            raise ResetIsOver
        # Hashes of unknown tokens: how long a comparison takes tells nothing about a token.
        if reset.token_hash != token_hash or reset.expires_at <= now:
            raise ResetIsOver

    def enable_totp(self, step: int, recovery: tuple[str, ...]) -> list[UserEvent]:
        """Turn the second factor on; the code of *step* thereby is used."""
        self.refuse_unless_active()
        if self.totp is not None:
            raise TotpAlreadyEnabled
        return [TotpEnabled(step=step, recovery=recovery)]

    def use_second_factor(self, proof: SecondProof) -> list[UserEvent]:
        """Use up a code, which works no more afterwards.

        :raises TotpNotEnabled: there is no second factor.
        :raises WrongCode: the code was used before.
        """
        self.refuse_unless_active()
        return [*use_proof(self.totp, proof)]

    def renew_recovery_codes(
        self, proof: SecondProof, recovery: tuple[str, ...]
    ) -> list[UserEvent]:
        return [*self.use_second_factor(proof), RecoveryCodesRenewed(recovery=recovery)]

    def disable_totp(self, proof: SecondProof) -> list[UserEvent]:
        return [*self.use_second_factor(proof), TotpDisabled()]

    def change_profile(self, wanted: UserProfileChanged) -> list[UserEvent]:
        """Change what *wanted* sets to another value and leave the rest."""
        self.refuse_unless_active()
        changed = {
            name: getattr(wanted, name)
            for name in wanted.field_keys()
            if getattr(wanted, name) != getattr(self, name)
        }
        return [UserProfileChanged(**changed)] if changed else []

    def make_home(self, organization_id: OrgId) -> list[UserEvent]:
        """Start the next sessions in *organization_id*."""
        self.refuse_unless_active()
        if organization_id == self.home_organization_id:
            return []
        return [HomeOrganizationChanged(organization_id=organization_id)]

    def deactivate(self, reason: str | None = None) -> list[UserEvent]:
        self.refuse_unless_registered()
        return [UserDeactivated(reason=reason)] if self.active else []

    def reactivate(self) -> list[UserEvent]:
        self.refuse_unless_registered()
        return [] if self.active else [UserReactivated()]

    def request_erasure(self) -> list[UserEvent]:
        """Close the account for good."""
        self.refuse_unless_active()
        return [UserErasureRequested()]

    def finish_erasure(self) -> list[UserEvent]:
        """Record that the keys are destroyed; again, it records nothing."""
        if not self.erasing:
            raise NotFound
        return [] if self.erased else [UserErased()]

    def fail_login(self, count: int = 1) -> list[UserEvent]:
        """Record failed logins, even for a deactivated account, which must not be recognisable."""
        self.refuse_unless_registered()
        return [LoginFailed(count=count)]

    def refuse_unless_registered(self) -> None:
        """Raise NotFound if there is no such account, or it is being erased."""
        if not self.registered or self.erasing:
            raise NotFound

    def refuse_unless_active(self) -> None:
        """Refuse if there is no such account or it is deactivated."""
        self.refuse_unless_registered()
        if not self.active:
            raise AccountDeactivated
