"""A server as a supervised child process: started, asked until it answers, stopped.

A child never outlives us: the kernel kills it when the thread that forked it ends (PR_SET_PDEATHSIG
of prctl(2)), therefore servers are started from the main thread only. It leads a process group of
its own, so Ctrl-C in the terminal reaches the supervisor and not the servers: who stops first is
the supervisor's decision. A killed server is started again by `start()`, on the same port and data.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from devstack import DevstackError
from devstack.account import Account
from devstack.lock import DataDirLock
from devstack.port import HeldPort

_READY_S = 60.0
"""How long a cold start may take on a busy machine before it counts as failed."""
_GRACE_S = 10.0
"""How long a server may take to stop by itself; SecantusDB needs 0.4 to 2.2 s."""
ORPHANS_S = 10.0
"""How long the last children of a killed server may take to notice; PostgreSQL's need a moment."""
_POLL_S = 0.05
LOG_BYTES_MAX = 8 * 1024 * 1024
"""A log larger than this is set aside at the next start (one old log is kept)."""
LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 8192

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: after fork is no time to import


class ServerFailed(DevstackError):
    """A server did not start, or did not answer in time; the text ends with its last log lines."""


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(kw_only=True, eq=False)
class Server:
    """One program that serves `url` from `data_dir`; as a context manager, started and ready.

    `ping` tells whether the server does its work by now, in its own protocol, and returns False
    rather than raise while it does not. `prepare` makes the data directory fit before each start.
    `explanations` turns a fragment of the log into words for the operator.
    """

    name: str
    engine: str
    url: str
    argv: Sequence[str]
    data_dir: Path
    port: HeldPort
    ping: Callable[[], bool]
    prepare: Callable[[], None] = _nothing
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None
    explanations: Mapping[str, str] = field(default_factory=dict[str, str])
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._lock = DataDirLock(self.data_dir)

    @property
    def log_path(self) -> Path:
        """Where everything the server prints goes."""
        return self.data_dir / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        """Tell whether the process runs; a running server may still be getting ready."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; `wait_ready` tells when it serves. Call from the main thread only.

        :raises ServerFailed: when it runs already or the program cannot be executed.
        :raises DataDirBusy: when somebody else works in the data directory.
        """
        if threading.current_thread() is not threading.main_thread():
            raise ServerFailed(f"{self.name}: start from the main thread, or it dies with this one")
        if self.alive():
            raise ServerFailed(f"{self.name} is running already")
        self._lock.release()
        self._lock.acquire(patience_s=ORPHANS_S)
        try:
            self.prepare()
            self._spawn()
        except BaseException:
            self._lock.release()
            raise

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Return as soon as the server answers its ping.

        :raises ServerFailed: when it has ended, or does not answer within `timeout_s`.
        """
        if self._process is None:
            raise ServerFailed(f"{self.name} was never started")
        deadline = time.monotonic() + timeout_s
        while True:
            ready = self.ping()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=0 if ready else _POLL_S)
                raise self._failed(f"ended with status {code} before it was ready")
            if ready:
                return
            if time.monotonic() >= deadline:
                raise self._failed(f"did not answer at {self.url} within {timeout_s:g} s")

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """Ask the server to stop; after `grace_s` kill it with its group. Stopped is fine too."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(timeout=grace_s)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._process = None
        self._lock.release()

    def _spawn(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES_MAX:
            self.log_path.replace(self.log_path.with_suffix(".log.old"))
        parent = os.getpid()
        who = self.account
        with self.log_path.open("ab") as log, warnings.catch_warnings():
            self._log_start = log.tell()
            # Since 3.12 Python warns of code between fork and exec beside threads. Ours calls
            # prctl, getppid and nothing that takes a lock.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                self._process = subprocess.Popen(  # noqa: S603 - argv is built by this package
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.data_dir,
                    process_group=0,
                    pass_fds=[self._lock.fileno()],
                    user=who.uid if who else None,
                    group=who.gid if who else None,
                    extra_groups=[] if who else None,
                    preexec_fn=lambda: die_with(parent),  # noqa: PLW1509 - see above
                )
            except (OSError, subprocess.SubprocessError) as failure:
                raise self._failed(f"cannot run {self.argv[0]}: {failure}") from failure

    def _failed(self, what: str) -> ServerFailed:
        tail = _tail(self.log_path, self._log_start)
        known = next((words for part, words in self.explanations.items() if part in tail), "")
        why = f" ({known})" if known else ""
        lines = "\n".join(f"  {line}" for line in tail.splitlines()[-LOG_TAIL_LINES:])
        return ServerFailed(
            f"{self.name} ({self.engine}) {what}{why}. Log: {self.log_path}, which ends with:\n"
            f"{lines or '  (nothing)'}"
        )

    def __enter__(self) -> Self:
        """Start and wait until ready; a server that does not get ready is stopped."""
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self.stop()


def die_with(parent: int) -> None:
    """Ask the kernel, between fork and exec, to kill this child when its parent dies.

    After the change of user, which would clear the request (prctl(2)); subprocess does it in this
    order.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def _tail(log: Path, start: int) -> str:
    """Return the end of what was logged since the byte `start`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")
