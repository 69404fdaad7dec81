"""Room for a new session: a place that is free, or that of the oldest one."""

from datetime import datetime
from uuid import UUID

from commands.base import Change, Context
from commands.reads import Reads
from commands.session_places import session_places
from domain.base import OrgId, UserId
from domain.identity.session.state import Session


async def free_place(
    read: Reads, context: Context, whose: tuple[UserId, OrgId | None], credentials: int
) -> tuple[int, list[Change]]:
    """Return a place for a new session, and what ends the one that had it.

    *whose* is a user, with the organization to which the session is confined, if it is.
    *credentials* is how often the user has changed their password.
    """
    claims = session_places(*whose)
    held = await read.holders(claims)
    for place, claim in enumerate(claims):
        if claim not in held:
            return place, []
    ends: list[tuple[bool, datetime, UUID]] = []
    for holder in held.values():
        session = await read(Session, holder)
        over = not session.is_live(context.now) or session.credentials != credentials
        ends.append((not over, session.expires_at or context.now, holder))
    _, _, oldest = min(ends)
    session = await read(Session, oldest)
    events = session.make_room(context.now, credentials)
    return session.place, [Change(oldest, events)] if events else []
