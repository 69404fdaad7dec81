"""``audit``: export an organization's log, verify an export, print the public key."""

import asyncio
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import UUID

from cyclopts import Parameter
from msgspec import Struct
from rich.progress import Progress

from audit import standalone
from audit.export import Selection, export_lines
from audit.tree_signer import TreeSigner, signer
from cli.bars import progress_bar
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_running
from domain.base import OrgId
from runtime.clock import system_clock
from runtime.settings import load_settings
from runtime.system import derive_keys, open_log


class _Range(Struct, frozen=True):
    org_id: OrgId
    first: int
    last: int | None


def run_export(
    organization: UUID,
    file: Path,
    /,
    *,
    first: Annotated[int, Parameter(name="--from")] = 1,
    last: Annotated[int | None, Parameter(name="--to")] = None,
    overwrite: bool = False,
) -> int:
    """Write an organization's log as JSON lines, with personal data in readable form.

    Parameters
    ----------
    organization
        Id of the organization.
    file
        Output file.
    first
        First sequence number.
    last
        Last sequence number.
    overwrite
        Replace the file if it exists.
    """
    asked = _Range(OrgId(organization), first, last)
    try:
        with (
            outages_as_failures(),
            file.open("wb" if overwrite else "xb") as output,
            progress_bar() as progress,
        ):
            return asyncio.run(_export(asked, output, progress))
    except FileExistsError:
        raise CommandFailed(f"{file} exists; to replace it, use --overwrite") from None
    except OSError as error:
        raise CommandFailed(f"cannot write {file}: {error.strerror}") from None


async def _export(asked: "_Range", file: BinaryIO, progress: Progress) -> int:
    settings = load_settings(settings_of_running())
    keys = derive_keys(settings)
    async with open_log(settings, keys) as log:
        tree_signer = TreeSigner(log, keys.audit, system_clock)
        org_id = asked.org_id
        newest = await log.organization_head(org_id)
        last = min(asked.last or newest, newest)
        if not newest or asked.first > last:
            raise CommandFailed(f"organization {org_id} has no events in this range")
        selection = Selection(org_id=org_id, first=asked.first, last=last)
        bar = progress.add_task("exporting", total=last - asked.first + 1)
        async for piece in export_lines(log, tree_signer, selection, system_clock):
            file.write(piece)
            progress.advance(bar, piece.count(b"\n"))
    print(f"{last - asked.first + 1} events; verify with: trackrecord audit verify {file.name}")
    return 0


def run_verify(file: Path, /, *, key: str | None = None) -> int:
    """Verify an export line by line, without any server; return 1 if a single byte was changed.

    Parameters
    ----------
    file
        File to verify.
    key
        Public key to trust, as printed by `audit key`.
    """
    if not file.is_file():
        raise CommandFailed(f"there is no file {file}", 2)
    return standalone.main([str(file), *(["--key", key] if key else [])])


def run_key() -> int:
    """Print the public key that verifies checkpoints, in signed-note format."""
    settings = load_settings(settings_of_running())
    print(signer(derive_keys(settings).audit).vkey)
    return 0
