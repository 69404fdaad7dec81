"""``audit``: export an organization's log, verify an export, print the public key."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from msgspec import Struct
from rich.console import Console
from rich.prompt import Confirm

from audit import standalone
from audit.export import Selection, export_lines
from audit.tree_signer import TreeSigner, signer
from cli.bars import progress_bar
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from commands.audit import ExportAuditAsOperator
from commands.base import Context
from commands.claims.subdomains import subdomain_claim
from commands.handler import CommandHandler
from domain.base import PLATFORM, OrgId
from eventstore.log import EventLog
from eventstore.mode import LogClosed
from eventstore.recorded import Actor, ActorKind
from runtime.clock import system_clock
from runtime.system import derive_keys, open_log


class _Range(Struct, frozen=True):
    organization: str
    first: int
    last: int | None


def run_export(
    organization: str,
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
        Subdomain or id of the organization.
    file
        Output file.
    first
        First sequence number.
    last
        Last sequence number.
    overwrite
        Replace the file if it exists, without asking.
    """
    if file.exists() and not overwrite:
        _ask_whether_to_replace(file)
    with outages_as_failures():
        return asyncio.run(_export(_Range(organization, first, last), file))


def _ask_whether_to_replace(file: Path) -> None:
    """Ask on a terminal; anywhere else nobody can answer.

    :raises CommandFailed: the file is kept.
    """
    if not sys.stdin.isatty():
        raise CommandFailed(f"{file} exists; to replace it, use --overwrite")
    question = f"{file} exists. Replace it?"
    if not Confirm.ask(question, console=Console(stderr=True), default=False):
        raise CommandFailed(f"{file} was kept")


async def _export(asked: _Range, file: Path) -> int:
    settings = settings_of_log()
    keys = derive_keys(settings)
    async with open_log(settings, keys) as log:
        selection = await _selection(log, asked)
        await _record(log, selection)
        tree_signer = TreeSigner(log, keys.audit, system_clock)
        await _write(log, tree_signer, selection, file)
    count = selection.last - selection.first + 1
    print(f"{count} events; verify with: trackrecord audit verify {file}")
    return 0


async def _selection(log: EventLog, asked: _Range) -> Selection:
    org_id = await _organization(log, asked.organization)
    newest = await log.organization_head(org_id)
    last = min(asked.last or newest, newest)
    if not newest or asked.first > last:
        raise CommandFailed(f"organization {asked.organization} has no events in this range")
    return Selection(org_id=org_id, first=asked.first, last=last)


async def _organization(log: EventLog, named: str) -> OrgId:
    """Return the organization with the id or the subdomain *named*."""
    try:
        return OrgId(UUID(named))
    except ValueError:
        holder = await log.holder(subdomain_claim(named.lower()))
    if holder is None:
        raise CommandFailed(f"there is no organization with the subdomain {named}", 2)
    return OrgId(holder)


async def _record(log: EventLog, selection: Selection) -> None:
    """Record the export before the first byte is written, as the API does."""
    noted = ExportAuditAsOperator(first=selection.first, last=selection.last, format="jsonl")
    actor = Actor(ActorKind.SYSTEM, PLATFORM)
    context = Context(actor=actor, now=system_clock(), org_id=selection.org_id)
    try:
        await CommandHandler(log).handle(noted, context)
    except LogClosed as closed:
        raise CommandFailed(f"the export cannot be recorded: {closed}") from closed


async def _write(log: EventLog, tree_signer: TreeSigner, selection: Selection, file: Path) -> None:
    try:
        with file.open("wb") as output, progress_bar() as progress:
            bar = progress.add_task("exporting", total=selection.last - selection.first + 1)
            async for piece in export_lines(log, tree_signer, selection, system_clock):
                output.write(piece)
                progress.advance(bar, piece.count(b"\n"))
    except OSError as error:
        raise CommandFailed(f"cannot write {file}: {error.strerror}") from None


def run_verify(file: Path, /, *, key: str | None = None, previous: Path | None = None) -> int:
    """Verify an export or a proof, without any server; return 1 if a single byte was changed.

    Parameters
    ----------
    file
        File to verify.
    key
        Public key to trust, as printed by `audit key`.
    previous
        File with a signed checkpoint that you kept, to show that the log only grew; needs `--key`.
    """
    if not file.is_file():
        raise CommandFailed(f"there is no file {file}", 2)
    if previous is not None and not key:
        raise CommandFailed("--previous needs --key: else a checkpoint proves nothing", 2)
    asked = {"--key": key, "--previous": previous}
    options = [str(each) for named in asked.items() if named[1] for each in named]
    return standalone.main([str(file), *options])


def run_key() -> int:
    """Print the public key that verifies checkpoints, in signed-note format."""
    settings = settings_of_log()
    print(signer(derive_keys(settings).audit).vkey)
    return 0
