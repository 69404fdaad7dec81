"""A process of ``up``: started, watched, and restarted when it dies or hangs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path

from devstack.server import die_with

KILLED_AFTER_S = 18.0
"""How long a process that is told to stop may take before it is killed: it ends itself earlier,
after `runtime.process.STOP_S`. That module is not imported: `up` would start more slowly."""
RESTART_PAUSE_S = (0.2, 0.5, 2.0)
"""Pause before a process is restarted: short at first, longer if it keeps dying at its start.
Meanwhile requests wait in the queue of the kernel, and each should be answered within 5 s."""
STABLE_S = 5.0
"""A process that ran for this long did not die of its start, so it is restarted soon."""
LOG_LINES = 12


class Child:
    """One of our processes, with its own log file."""

    def __init__(
        self,
        name: str,
        module: str,
        environment: Mapping[str, str],
        data_dir: Path,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", module]
        self._environment, self._pass_fds = environment, pass_fds
        self._log = data_dir / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self._deaths = 0

    def start(self) -> None:
        """Start the process; call from the main thread only (see ``devstack.server``)."""
        parent = os.getpid()
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  our own command
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                pass_fds=self._pass_fds,
                preexec_fn=lambda: die_with(parent),  # noqa: PLW1509  see devstack.server
            )
        self._started = time.monotonic()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def age_s(self) -> float:
        """Return how long ago the process was started."""
        return time.monotonic() - self._started

    @property
    def pause_s(self) -> float:
        """Return how long until the process is started again; infinite while it runs."""
        return inf if self._child is not None else self._due - time.monotonic()

    def exit_code(self) -> int | None:
        """Return the exit code of a process that ended, or None."""
        return self._child.poll() if self._child else None

    def watch(self) -> str | None:
        """Restart the process if it has died, after a pause; return a message if there is one."""
        news = None
        if self._child is not None and self._child.poll() is not None:
            self._deaths = 0 if self.age_s > STABLE_S else self._deaths
            pause = RESTART_PAUSE_S[min(self._deaths, len(RESTART_PAUSE_S) - 1)]
            code = self._child.returncode
            news = f"{self.name} exited with {code}; restarting it in {pause} s ({self._log})"
            self._child, self._due = None, time.monotonic() + pause
            self._deaths += 1
        if self._child is None and time.monotonic() >= self._due:
            self.start()
        return news

    def log_end(self) -> str:
        """Return the last lines of the process's log."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LOG_LINES:])

    def ask_to_stop(self) -> None:
        """Ask the process to finish; ``stop`` waits for it."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop the process and wait; one that does not finish in time is killed."""
        if self._child is None:
            return
        self.ask_to_stop()
        try:
            self._child.wait(KILLED_AFTER_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._child.wait()

    def kill(self) -> None:
        """Kill a process that does not answer; ``watch`` then restarts it."""
        if self._child is not None and self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
