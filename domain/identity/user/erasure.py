"""Erasure: an account is closed for good, and nobody can read any more whose it was.

First the account is closed, so that nothing personal is added to it. Then the keys of what is
personal are destroyed; only after that is the account erased.
"""

from domain.base import Event


class UserErasureRequested(Event, frozen=True, kw_only=True, tag="user.erasure_requested"):
    """A user had their account erased: nobody can use it, and what is personal is about to go."""

    sets = ("active", "email", "name", "erasing")


class UserErased(Event, frozen=True, kw_only=True, tag="user.erased"):
    """The keys of a user's personal data were destroyed: nobody can read it any more."""

    sets = ("erased",)


ErasureEvent = UserErasureRequested | UserErased
