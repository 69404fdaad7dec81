"""How a process is: pings, watchdogs, readiness and metrics."""
