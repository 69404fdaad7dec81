"""The exceptions that mean that a store does not answer."""

from audit.kept_heads import HeadsUnavailable
from eventstore.append import LogUnavailable
from projections.engine.store import ReadStoreUnavailable

StoreOutage = (LogUnavailable, ReadStoreUnavailable, HeadsUnavailable)
"""For ``except`` and ``isinstance``; another try later is safe."""
