"""A log with two organizations, as the settings of this process name it."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from audit.export import Selection, export_lines
from audit.tree_signer import TreeSigner
from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization
from commands.identity.user import RegisterUser
from domain.base import PLATFORM, OrgId, UserId
from runtime.settings import load_settings
from runtime.system import derive_keys, open_log
from tests.audit.acme import found_acme
from tests.domain.spec import OTHER
from tests.spec import context

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def record_history() -> None:
    """Record ACME with its tasks and another organization; sign both trees."""
    asyncio.run(_record())


async def _record() -> None:
    settings = load_settings()
    keys = derive_keys(settings)
    async with open_log(settings, keys) as log:
        handler, _, _ = await found_acme(log)
        await _found_other(handler)
        tree_signer = TreeSigner(log, keys.audit, lambda: AT)
        await tree_signer.seal_new()


async def _found_other(handler: CommandHandler) -> None:
    organization = CreateOrganization(organization_id=OTHER, name="Other", subdomain="other")
    await handler.handle(
        RegisterUser(
            user_id=UserId(uuid4()),
            email="olga@example.test",
            name="Olga",
            password_hash=b"hash",
            organization=organization,
        ),
        context(org_id=None, ip="203.0.113.8", user_agent="curl/8"),
    )


def exports() -> dict[OrgId, bytes]:
    """Return the whole export of each organization, as of one moment."""
    return asyncio.run(_exports())


async def _exports() -> dict[OrgId, bytes]:
    settings = load_settings()
    keys = derive_keys(settings)
    async with open_log(settings, keys) as log:
        tree_signer = TreeSigner(log, keys.audit, lambda: AT)
        found: dict[OrgId, bytes] = {}
        for org_id, size in (await log.organization_heads()).items():
            if org_id != PLATFORM:
                selection = Selection(org_id=org_id, first=1, last=size)
                pieces = export_lines(log, tree_signer, selection, lambda: AT)
                found[org_id] = b"".join([piece async for piece in pieces])
        return found
