"""A server as a supervised child process: start it, wait until it answers, stop it.

A child never outlives us: the kernel kills it when the thread that forked it ends (PR_SET_PDEATHSIG
of prctl(2)), so servers are started from the main thread only. Each leads its own process group, so
that Ctrl-C in the terminal reaches the supervisor and not the servers: the supervisor decides which
stops first. `start()` restarts a killed server on the same port and data.
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
"""A cold start that takes longer, even on a busy machine, has failed."""
_GRACE_S = 10.0
"""How long a server may take to stop; SecantusDB needs 0.4 to 2.2 s."""
ORPHANS_S = 10.0
"""How long the children of a killed server may take to notice; PostgreSQL's need a moment."""
_POLL_S = 0.05
LOG_BYTES_MAX = 8 * 1024 * 1024
"""A larger log is renamed at the next start (one old log is kept)."""
LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 8192

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)  # loaded early: nothing may be imported after fork


class ServerFailed(DevstackError):
    """A server did not start or answer in time; the message ends with its last log lines."""


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(kw_only=True, eq=False)
class Server:
    """A program that serves `url` from `data_dir`; as a context manager, started and ready.

    `ping` returns whether the server is ready, using its own protocol, and returns False instead of
    raising. `prepare` prepares the data directory before each start. `ask_to_stop` asks a server
    to stop that is slow to notice the signal; it does not raise either. `explanations` maps
    fragments of the log to explanations for the operator.
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
    ask_to_stop: Callable[[], None] = _nothing
    account: Account | None = None
    explanations: Mapping[str, str] = field(default_factory=dict[str, str])
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._lock = DataDirLock(self.data_dir)

    @property
    def log_path(self) -> Path:
        """The file with everything the server prints."""
        return self.data_dir / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        """Return whether the process is running; it may still be starting up."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; `wait_ready` waits until it is ready. Call only from the main thread.

        :raises ServerFailed: it is already running, or the program cannot be executed.
        :raises DataDirBusy: somebody else uses the data directory.
        """
        if threading.current_thread() is not threading.main_thread():
            raise ServerFailed(f"start {self.name} from the main thread, or it dies with this one")
        if self.alive():
            raise ServerFailed(f"{self.name} is already running")
        self._lock.release()
        self._lock.acquire(patience_s=ORPHANS_S)
        try:
            self.prepare()
            self._spawn()
        except BaseException:
            self._lock.release()
            raise

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Return once the server answers its ping.

        :raises ServerFailed: it has exited, or does not answer within `timeout_s`.
        """
        if self._process is None:
            raise ServerFailed(f"{self.name} was never started")
        deadline = time.monotonic() + timeout_s
        while True:
            ready = self.ping()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=0 if ready else _POLL_S)
                raise self._failed(f"exited with status {code} before it was ready")
            if ready:
                return
            if time.monotonic() >= deadline:
                raise self._failed(f"did not answer at {self.url} within {timeout_s:g} s")

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """Ask the server to stop, and kill it with its group after `grace_s`. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self.ask_to_stop()
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
            # Since 3.12 Python warns about code between fork and exec if there are threads. Ours
            # calls prctl and getppid and takes no lock.
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
            f"{self.name} ({self.engine}) {what}{why}. Log: {self.log_path}, last lines:\n"
            f"{lines or '  (nothing)'}"
        )

    def __enter__(self) -> Self:
        """Start and wait until ready; a server that does not become ready is stopped."""
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

    Must follow the change of user, which would reset it (prctl(2)); subprocess uses this order.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request
            os._exit(1)


def _tail(log: Path, start: int) -> str:
    """Return the end of the log since byte `start`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")
