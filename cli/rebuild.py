"""``rebuild`` and ``replay``: build read models again from the log, or print the log."""

import argparse
import asyncio
import sys
from typing import Any

import msgspec
from rich.progress import Progress

from audit.opened import open_all
from audit.trail import entry_json
from cli.running import settings_of_running
from projections.catalog import PROJECTIONS
from projections.engine.digest import compare
from projections.engine.rebuild import rebuild
from runtime.settings import load_settings
from runtime.system import System, derive_keys, open_log, open_system

_BATCH = 500


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    names = [projection.name for projection in PROJECTIONS]
    again = commands.add_parser("rebuild", help="build read models again next to the live ones")
    again.add_argument("name", nargs="?", choices=names, help="read model to rebuild")
    again.add_argument("--all", action="store_true", help="rebuild every read model")
    again.add_argument(
        "--verify",
        action="store_true",
        help="compare with the live read model instead of replacing it",
    )
    again.set_defaults(run=run_rebuild)
    told = commands.add_parser("replay", help="print the log as JSON lines, oldest first")
    told.add_argument("--from", dest="after", type=int, default=1, help="first position")
    told.add_argument("--type", action="append", default=[], help="print only events of this type")
    told.set_defaults(run=run_replay)


def run_rebuild(asked: argparse.Namespace) -> int:
    """Rebuild or verify; return 1 if a live read model differs from its rebuild."""
    if bool(asked.name) == asked.all:
        print("name a read model or use --all", file=sys.stderr)
        return 2
    return asyncio.run(_rebuild(asked))


async def _rebuild(asked: argparse.Namespace) -> int:
    different = 0
    async with open_system(load_settings(settings_of_running())) as system:
        for projection in PROJECTIONS:
            if asked.all or projection.name == asked.name:
                different += await _rebuild_one(system, projection, verify_only=asked.verify)
    return 1 if different else 0


async def _rebuild_one(system: System, projection: Any, *, verify_only: bool) -> int:
    with Progress(transient=True) as progress:
        bar = progress.add_task(projection.name)

        def advance(position: int, head: int) -> None:
            progress.update(bar, completed=position, total=head)

        if not verify_only:
            collection = await rebuild(projection, system.log, system.database, advance)
            print(f"{projection.name}: {collection} is live")
            return 0
        found = await compare(projection, system.log, system.database, advance)
    print(f"{projection.name}: {found}")
    return 0 if found.equal else 1


def run_replay(asked: argparse.Namespace) -> int:
    """Print the log; sends nothing and changes nothing."""
    return asyncio.run(_replay(asked))


async def _replay(asked: argparse.Namespace) -> int:
    settings = load_settings(settings_of_running())
    encode = msgspec.json.Encoder().encode
    async with open_log(settings, derive_keys(settings)) as log:
        after = asked.after - 1
        while rows := await log.tail_rows(after, _BATCH, asked.type):
            for opened in await open_all(log, rows):
                sys.stdout.buffer.write(encode(entry_json(opened)) + b"\n")
            after = rows[-1].position
    return 0
