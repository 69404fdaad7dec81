"""The exceptions that mean that a store does not answer."""

from eventstore.append import LogUnavailable
from projections.engine.store import ReadStoreUnavailable

StoreOutage = (LogUnavailable, ReadStoreUnavailable)
"""For ``except`` and ``isinstance``; another try later is safe."""
