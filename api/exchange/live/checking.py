"""The check of live readers: who may still read, and what, as the log is now."""

import asyncio
from collections.abc import Sequence

from api.exchange.live.reader import Reader, StreamEnd
from commands.sight import private_projects
from commands.states import States
from domain.base import PLATFORM, NotFound
from domain.identity.organization.state import Organization
from eventstore.log import EventLog
from runtime.clock import Clock

READERS_OF_A_TURN = 50
"""Readers that are served in one turn of the event loop."""


class ReaderCheck:
    """Identifies readers again, and finds out which projects they see."""

    def __init__(self, log: EventLog, states: States, clock: Clock) -> None:
        self._log, self._states, self._clock = log, states, clock

    async def renew(self, readers: Sequence[Reader]) -> None:
        """Check readers of one organization, with one query for the versions of all they rest on.

        The streams of those who may not read any more are ended.
        """
        if not readers:
            return
        org_id = readers[0].org_id
        owners = {
            stream: org_id if stream == org_id or each.caller.key is not None else PLATFORM
            for each in readers
            for stream in each.streams
        }
        for each in readers:
            owners[each.caller.user_id] = PLATFORM
        heads = {**dict.fromkeys(owners, 0), **await self._log.heads(owners)}
        try:
            [loaded] = await self._states.all_fresh([(Organization, org_id)], org_id, heads)
        except NotFound:
            for each in readers:
                each.end(StreamEnd.NO_ACCESS)
            return
        private = await private_projects(self._log, self._states, loaded.state, org_id)
        now_s = int(self._clock().timestamp())
        for number, reader in enumerate(readers, start=1):
            await reader.check(heads, private, now_s)
            if number % READERS_OF_A_TURN == 0:
                await asyncio.sleep(0)
