"""Limits that an organization sets for the sessions in which somebody works in it."""

from datetime import timedelta

from msgspec import Struct


class SessionLimits(Struct, frozen=True, gc=False):
    """How long sessions work in an organization; None: as long as everywhere."""

    idle: timedelta | None = None
    """Without a refresh."""

    proof: timedelta | None = None
    """After the last proof of who the user is: the login, or a later one."""


UNLIMITED = SessionLimits()
