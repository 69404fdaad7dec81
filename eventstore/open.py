"""Opens the event store at a URL."""

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from eventstore.append import LogUnavailable, LogUnfit
from eventstore.engine.calls import LOCK_WAIT_SHARE, LOG_DEADLINE_S
from eventstore.engine.sqlite.driver import SQLiteError
from eventstore.sqlite import SqliteStore
from eventstore.store import Store

SQLITE = "sqlite:///"
PARTITIONS, DISTRIBUTED = "partitions", "distributed"
PORT_MAX = 65_535


def open_store(url: str, deadline_s: float = LOG_DEADLINE_S) -> Store:
    """Return the event database at *url*: ``sqlite:///path`` or ``postgresql://…``.

    ``?partitions=N`` sets the number of partitions of a new log, ``?distributed=on`` says that they
    are on several machines. The rest of a PostgreSQL URL is passed to its driver unchanged. Callers
    wait for at most *deadline_s* seconds.

    :raises LogUnavailable: it cannot be reached.
    :raises LogUnfit: *url* is malformed.
    """
    address, parts = take_partitions(url)
    lock_wait_s = deadline_s * LOCK_WAIT_SHARE
    if not address.startswith(SQLITE):
        return _open_postgres(address, parts, lock_wait_s, distributed=is_distributed(url))
    try:
        path = Path(address.removeprefix(SQLITE))
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteStore(str(path), parts=parts, lock_timeout_s=lock_wait_s)
    except (SQLiteError, OSError) as error:
        raise LogUnavailable(str(error)) from error


def _open_postgres(
    address: str, parts: int | None, lock_wait_s: float, *, distributed: bool
) -> Store:
    # Imported here: without psycopg a process starts 0.15 s sooner and needs 9 MB less.
    import psycopg  # noqa: PLC0415 - see above

    from eventstore.postgres import DistributedStore, PostgresStore  # noqa: PLC0415 - see above

    kind = DistributedStore if distributed else PostgresStore
    try:
        return kind(address, parts=parts, lock_timeout_s=lock_wait_s)
    except (psycopg.Error, OSError) as error:
        raise LogUnavailable(str(error)) from error


def check_url(url: str) -> None:
    """Check *url* without opening anything, as the driver that uses it does.

    :raises LogUnfit: it is malformed.
    """
    address, _ = take_partitions(url)
    is_distributed(url)
    if address.startswith(SQLITE):
        return
    from psycopg import Error  # noqa: PLC0415 - as for opening
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - as for opening

    try:
        parameters = conninfo_to_dict(address)
        ports = str(parameters.get("port") or "1").split(",")
    except Error as error:
        raise LogUnfit(f"is no address of PostgreSQL: {' '.join(str(error).split())}") from error
    if not all(port.isdecimal() and 0 < int(port) <= PORT_MAX for port in ports):
        raise LogUnfit(f"has a port that is none: {','.join(ports)}")


def take_partitions(url: str) -> tuple[str, int | None]:
    """Return *url* without our parameters, and the number of partitions given there."""
    address, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    ours = [pair for pair in pairs if pair[0] in (PARTITIONS, DISTRIBUTED)]
    if not ours:
        return url, None
    numbers = [value for name, value in ours if name == PARTITIONS]
    if len(numbers) > 1 or not all(number.isdecimal() for number in numbers):
        raise LogUnfit("write the partitions in EVENTS_URL as one number, like ?partitions=64")
    rest = urlencode([pair for pair in pairs if pair not in ours])
    return f"{address}?{rest}" if rest else address, int(numbers[0]) if numbers else None


def is_distributed(url: str) -> bool:
    """Return whether *url* says that the partitions are on several machines.

    :raises LogUnfit: it is malformed.
    """
    pairs = parse_qsl(url.partition("?")[2], keep_blank_values=True)
    values = [value for name, value in pairs if name == DISTRIBUTED]
    if values not in ([], ["on"]) or (values and url.startswith(SQLITE)):
        raise LogUnfit("write ?distributed=on once in EVENTS_URL of PostgreSQL, or leave it out")
    return bool(values)
