"""``audit``: export an organization's log, verify an export, print the public key."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from rich.progress import Progress

from audit import standalone
from audit.export import Selection, export_lines
from audit.tree_signer import TreeSigner, signer
from cli.running import settings_of_running
from domain.base import OrgId
from runtime.clock import system_clock
from runtime.settings import load_settings
from runtime.system import derive_keys, open_log


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    audit = commands.add_parser(
        "audit", help="export the audit log, verify an export, print the public key"
    )
    kinds = audit.add_subparsers(dest="kind", required=True)
    export = kinds.add_parser("export", help="write an organization's log as JSON lines")
    export.add_argument("organization", type=UUID, help="id of the organization")
    export.add_argument("file", type=Path, help="output file")
    export.add_argument("--from", dest="first", type=int, default=1, help="first sequence number")
    export.add_argument("--to", dest="last", type=int, default=None, help="last sequence number")
    export.set_defaults(run=run_export)
    verify = kinds.add_parser("verify", help="verify an export offline, line by line")
    verify.add_argument("file", help="file to verify")
    verify.add_argument(
        "--key", dest="vkey", metavar="VKEY", help="public key to trust, as printed by `audit key`"
    )
    verify.set_defaults(run=run_verify)
    kinds.add_parser("key", help="print the public key that verifies checkpoints").set_defaults(
        run=run_key
    )


def run_export(asked: argparse.Namespace) -> int:
    """Write the export, with personal data in readable form."""
    with asked.file.open("wb") as file, Progress() as progress:
        return asyncio.run(_export(asked, file, progress))


async def _export(asked: argparse.Namespace, file: BinaryIO, progress: Progress) -> int:
    settings = load_settings(settings_of_running())
    keys = derive_keys(settings)
    async with open_log(settings, keys) as log:
        tree_signer = TreeSigner(log, keys.audit, system_clock)
        org_id = OrgId(asked.organization)
        newest = await log.organization_head(org_id)
        last = min(asked.last or newest, newest)
        if not newest or asked.first > last:
            print(f"organization {org_id} has no events in this range", file=sys.stderr)
            return 1
        selection = Selection(org_id=org_id, first=asked.first, last=last)
        bar = progress.add_task("exporting", total=last - asked.first + 1)
        async for piece in export_lines(log, tree_signer, selection, system_clock):
            file.write(piece)
            progress.advance(bar, piece.count(b"\n"))
    print(f"{last - asked.first + 1} events; verify with: trackrecord audit verify {asked.file}")
    return 0


def run_verify(asked: argparse.Namespace) -> int:
    """Verify the file without any server; return 1 if a single byte was changed."""
    arguments = [asked.file, *(["--key", asked.vkey] if asked.vkey else [])]
    return standalone.main(arguments)


def run_key(_: argparse.Namespace) -> int:
    """Print the public key in signed-note format."""
    settings = load_settings(settings_of_running())
    print(signer(derive_keys(settings).audit).vkey)
    return 0
