"""The daily letter about what is unread in somebody's inbox, and what they have to finish soon."""

from typing import Any

from domain.base import NotFound
from domain.identity.organization.state import Organization
from domain.identity.user.state import User
from eventstore.recorded import Recorded
from mail.letter import NEWS_KEPT, Letter
from mail.smtp import MailNotSent
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import ReadStoreUnavailable, Rebuilding
from projections.planning.inbox import InboxNoticeKind
from runtime.own_inbox import InboxNotice, Owner, inbox_of, inbox_reader
from runtime.system import System

DIGEST_LINES_MAX = 20
"""How many notices a letter tells of."""
_WORDS = {
    InboxNoticeKind.ASSIGNED: "was assigned to you",
    InboxNoticeKind.MENTIONED: "has a comment that mentions you",
    InboxNoticeKind.COMMENTED: "has a new comment",
    InboxNoticeKind.REACTED: "has a reaction to your comment",
    InboxNoticeKind.CHANGED: "has changed",
    InboxNoticeKind.DUE_SOON: "is due soon",
}


async def digest_letter(system: System, recorded: Recorded) -> Letter | None:
    """Return the daily letter; None if nothing is unread, or nobody wants it any more.

    :raises MailNotSent: the read models do not answer now.
    """
    event: Any = recorded.event
    owner, states = Owner(event.organization_id, event.user_id), system.commands.states
    if recorded.at + NEWS_KEPT < system.clock():
        return None
    try:
        organization = await states.fresh(Organization, owner.org_id, owner.org_id)
    except NotFound:
        return None
    if organization.role_of(owner.user_id) is None:
        return None
    if not (await inbox_of(system, recorded.stream_id)).digest:
        return None
    try:
        lines = await _lines(system, owner)
    except (ReadStoreUnavailable, Rebuilding) as error:
        raise MailNotSent(str(error)) from error
    if not lines:
        return None
    user = await states.fresh(User, owner.user_id)
    return Letter(
        to=(user.email,),
        subject=f"Your work in {organization.name}",
        text=(
            f"What is unread in your inbox of {organization.name}:\n\n"
            + "".join(f"- {line}\n" for line in lines)
            + f"\nRead it at {system.settings.app_url}/inbox, where you also turn this mail off.\n"
        ),
    )


async def _lines(system: System, owner: Owner) -> list[str]:
    """Return a line for each notice, a task with the same news only once."""
    progress = Progress(system.read_store, system.log)
    reader = await inbox_reader(system, ReadModels(system.read_store, progress, PROJECTIONS), owner)
    notices = [*await reader.due_soon(), *await reader.came_back()]
    unread, _ = await reader.page(5 * DIGEST_LINES_MAX, unread=True)
    lines = list(dict.fromkeys(map(_line, [*notices, *unread])))
    more = len(lines) - DIGEST_LINES_MAX
    return [*lines[:DIGEST_LINES_MAX], f"and {more} more"] if more > 0 else lines


def _line(notice: InboxNotice) -> str:
    return f"{notice.task.key} {notice.task.title}: it {_WORDS[notice.kind]}"
