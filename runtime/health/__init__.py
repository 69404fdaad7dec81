"""The health of a process: pings, watchdogs, readiness and metrics."""
