"""Opens the database of the read models: MongoDB if configured, otherwise a local file."""

from pathlib import Path

from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import READ_MODELS_DEADLINE_S, ReadStore

_FILE = "readmodels.db"


def open_read_store(
    mongodb_uri: str,
    database: str,
    data_dir: Path,
    deadline_s: float = READ_MODELS_DEADLINE_S,
) -> ReadStore:
    """Return the store of the read models; it connects on first use."""
    if mongodb_uri:
        # Imported here: without pymongo a process starts 0.1 s sooner and needs 10 MB less.
        from projections.engine.mongo.store import MongoReadStore  # noqa: PLC0415 - see above

        return MongoReadStore(mongodb_uri, database, deadline_s)
    return SQLiteReadStore(data_dir / _FILE, deadline_s)
