"""The exceptions that mean that a store does not answer."""

from pymongo.errors import PyMongoError

from eventstore.append import LogUnavailable

StoreOutage = (LogUnavailable, PyMongoError)
"""For ``except`` and ``isinstance``: nothing was half done, so try again later."""
