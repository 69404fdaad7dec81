"""Erasure of one's own account, and the organizations that it concerns."""

from api.http.caller import Caller
from api.http.paging import wait_for_all_writes
from api.http.request import ApiRequest
from api.http.run_command import as_caller
from commands.base import Context
from commands.identity.erasing import EraseUser
from commands.receipt import Receipt
from domain.base import OrgId, UserId
from projections.identity.member import organizations_ever_of


async def erase_caller(request: ApiRequest) -> None:
    """Close the caller's account for good; a worker destroys the keys of what is personal.

    :raises LastAdmin: they are the only one of an organization.
    :raises ReauthenticationRequired: their login is not fresh.
    """

    async def erase(caller: Caller) -> tuple[Receipt, Context]:
        # The append refuses if the account is not as it was before this list was read.
        organizations = await organizations_ever(request, caller.user_id)
        command = EraseUser(user_id=caller.user_id, organizations=tuple(organizations))
        context = request.context(caller)
        return await request.api.system.commands.handle(command, context), context

    await as_caller(request, erase)


async def organizations_ever(request: ApiRequest, user_id: UserId) -> list[OrgId]:
    """Return every organization that somebody belongs to, or has belonged to, as of now.

    :raises Problem: 503 if the read model is too far behind.
    """
    await wait_for_all_writes(request, "members")
    return await organizations_ever_of(request.api.models, user_id)
