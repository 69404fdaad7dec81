"""Failed logins, aggregated: an account gets at most one event a minute in each process."""

from collections import OrderedDict
from datetime import datetime, timedelta

from domain.base import UserId

RECORD_EVERY = timedelta(minutes=1)
ACCOUNTS_MAX = 50_000
"""Accounts whose failures are counted, about 8 MB; the least recent are forgotten."""


class FailedLogins:
    """Counts the failed logins of each account until they are recorded."""

    def __init__(self) -> None:
        self._counted: OrderedDict[UserId, tuple[datetime, int]] = OrderedDict()

    def add(self, user_id: UserId, now: datetime) -> int:
        """Count a failure; return how many are to be recorded now, this one included, or 0."""
        last, waiting = self._counted.pop(user_id, (None, 0))
        due = last is None or now - last >= RECORD_EVERY
        self._counted[user_id] = (now, 0) if last is None or due else (last, waiting + 1)
        if len(self._counted) > ACCOUNTS_MAX:
            self._counted.popitem(last=False)
        return waiting + 1 if due else 0

    def end(self, user_id: UserId) -> int:
        """Stop counting after a good login; return how many failures are not recorded yet."""
        _, waiting = self._counted.pop(user_id, (None, 0))
        return waiting
