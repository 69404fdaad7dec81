"""A process with four clients that register, invite, let in and erase people, on two days."""

import asyncio
import sys
from datetime import timedelta

from commands.handler import CommandHandler
from eventstore.log import EventLog
from eventstore.open import open_store
from tests.domain.spec import NOW
from tests.eventstore.processes.creating import attempt
from tests.eventstore.processes.people_choices import PeopleChoices
from tests.spec import context, opened

CLIENTS, COMMANDS, DAYS = 4, 400, 40


async def hammer_people(log: EventLog, seed: str) -> None:
    """Send commands one after the other, in one of the organizations or in none."""
    handler, choices = CommandHandler(log), PeopleChoices(seed)
    for count in range(COMMANDS):
        now = NOW + timedelta(days=count * DAYS // COMMANDS)
        command, by, org_id = choices.command()
        await attempt(handler, command, context(by, now=now, org_id=org_id))


async def main(url: str, process: str) -> None:
    """Let four clients hammer the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        await asyncio.gather(*(hammer_people(log, f"{process} {n}") for n in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
