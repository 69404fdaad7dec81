"""A legal hold: while an organization has one, nothing in its trash is purged, no member erased.

Invariants
    1. Only some plans have it; a smaller plan does not end one that is there.
    2. Giving the reason that it has records no event.
"""

from domain.base import DomainError, Event, Personal, Refusal
from domain.identity.plan import Plan, refuse_legal_hold

# Events ---------------------------------------------------------------------


class LegalHoldPlaced(Event, frozen=True, kw_only=True, tag="organization.legal_hold_placed"):
    """Nothing in the trash is purged from now on, for the reason given."""

    sets = ("legal_hold",)
    reason: Personal


class LegalHoldLifted(Event, frozen=True, kw_only=True, tag="organization.legal_hold_lifted"):
    """What is in the trash is purged again, once its time has come."""

    sets = ("legal_hold",)


LegalHoldEvent = LegalHoldPlaced | LegalHoldLifted


def reason_of(event: LegalHoldEvent) -> str | None:
    """Return why there is a hold after *event*, None if there is none."""
    return event.reason if isinstance(event, LegalHoldPlaced) else None


# Decisions ------------------------------------------------------------------


def place_hold(held: str | None, plan: Plan, reason: str) -> list[LegalHoldPlaced]:
    """Place a hold, or change the reason of the one that is *held*.

    :raises PlanLimitReached: *plan* has none.
    """
    refuse_legal_hold(plan)
    return [] if held == reason else [LegalHoldPlaced(reason=reason)]


def lift_hold(held: str | None) -> list[LegalHoldLifted]:
    """Lift the hold, if there is one."""
    return [] if held is None else [LegalHoldLifted()]


def refuse_if_held(held: str | None) -> None:
    """Refuse to purge, or to erase a member, while there is a hold.

    :raises LegalHold: there is one.
    """
    if held is not None:
        raise LegalHold


# Errors ---------------------------------------------------------------------


class LegalHold(DomainError):
    """A legal hold is placed on this organization: no data is purged until an ADMIN lifts it."""

    code = "legal_hold"
    refusal = Refusal.CONFLICT
