"""Outages: how it looks, on every floor above, when a store does not answer."""

from pymongo.errors import PyMongoError

from eventstore.append import LogUnavailable

StoreOutage = (LogUnavailable, PyMongoError)
"""For ``except`` and ``isinstance``: try again later, nothing half was done."""
