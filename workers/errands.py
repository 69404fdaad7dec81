"""Errands: what strangers asked about an address, for which only a worker looks for an account."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from commands.identity.errand import ERRAND, Errand, ErrandKind, errand_in
from commands.identity.user import RecordFailedLogin, RequestPasswordReset
from commands.reservations import EMAIL
from domain.base import PLATFORM, DomainError, UserId
from domain.identity.user.state import User
from eventstore.append import ConcurrencyConflict
from eventstore.claim import ClaimKey
from eventstore.identifiers import new_id
from eventstore.mode import LogClosed
from eventstore.operations.crew import new_member
from eventstore.operations.ticks import tick
from mail.letters import RESET_LIFETIME
from runtime.outages import StoreOutage
from runtime.system import System
from security.mail_tokens import MailPurpose, hash_of
from security.sealing import SealBroken

_SWEEP_S = 1.0
_LEASE_S = 10.0
"""How long an errand may take before another worker does it, too."""

_logger = logging.getLogger(__name__)


async def do_errands_until_cancelled(system: System) -> None:
    """Do errands, again and again, until cancelled."""
    while True:
        try:
            await do_errands(system)
        except (*StoreOutage, ConcurrencyConflict, LogClosed) as error:
            _logger.warning("errands wait: %s", error)
        await tick(_SWEEP_S)


async def do_errands(system: System) -> None:
    """Do every errand that no other worker is doing.

    :raises LogUnavailable: one cannot be recorded now; it is done later.
    """
    store, worker = system.operations, new_member()
    while (job := await store.take_job(worker, _LEASE_S, system.clock(), ERRAND)) is not None:
        due_at: datetime | None = job.due_at  # again at once, unless it is done
        try:
            await _do(system, job.id)
            due_at = None
        finally:
            await store.end_job(job, due_at)


async def _do(system: System, job_id: str) -> None:
    try:
        errand = errand_in(job_id, system.keys.master)
    except (SealBroken, ValueError):
        _logger.warning("dropped an errand that this deployment cannot read")
        return
    holder = await system.log.holder(ClaimKey(PLATFORM, EMAIL, PLATFORM, errand.address))
    if holder is None:
        return  # nobody has an account with this address
    try:
        await _ERRANDS[errand.kind](system, errand, UserId(holder))
    except DomainError as refused:
        _logger.info("%s is not needed: %s", errand.kind, refused)


async def _reset_password(system: System, errand: Errand, user_id: UserId) -> None:
    now, reset_id = system.clock(), new_id()
    expires_at = now + RESET_LIFETIME
    token = system.keys.mail_tokens.mint(MailPurpose.PASSWORD_RESET, user_id, reset_id, expires_at)
    command = RequestPasswordReset(
        user_id=user_id, reset_id=reset_id, token_hash=hash_of(token), expires_at=expires_at
    )
    await system.commands.handle(command, errand.context(user_id, now))


async def _failed_login(system: System, errand: Errand, user_id: UserId) -> None:
    user = await system.commands.states.fresh(User, user_id)
    command = RecordFailedLogin(user_id=user_id, count=errand.count)
    context = errand.context(user_id, system.clock(), user.home_organization_id)
    await system.commands.handle(command, context)


_ERRANDS: dict[ErrandKind, Callable[[System, Errand, UserId], Awaitable[None]]] = {
    ErrandKind.RESET_PASSWORD: _reset_password,
    ErrandKind.FAILED_LOGIN: _failed_login,
}
