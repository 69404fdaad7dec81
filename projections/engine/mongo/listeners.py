"""Counts the pools, connections and commands of the MongoDB driver."""

from typing import Any

from pymongo import monitoring

from eventstore.counters import READ_MODELS_DRIVER, counters_of

_MICROSECONDS = 1_000_000


class PoolListener(monitoring.ConnectionPoolListener):
    """Counts pools and connections (MongoDB's "Connection Monitoring and Pooling" events)."""

    def __init__(self) -> None:
        self._counters = counters_of(READ_MODELS_DRIVER)

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        self._counters.pool_created()

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        self._counters.pool_closed()

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:
        self._counters.connection_created()

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:
        self._counters.connection_closed()

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        """Count nothing."""

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Count nothing; each connection that it closes is reported."""

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        """Count nothing."""

    def connection_check_out_started(self, event: Any) -> None:
        """Count nothing."""

    def connection_check_out_failed(self, event: Any) -> None:
        """Count nothing; the command that needed it fails and is counted."""

    def connection_checked_out(self, event: Any) -> None:
        """Count nothing."""

    def connection_checked_in(self, event: Any) -> None:
        """Count nothing."""


class CommandCounter(monitoring.CommandListener):
    """Counts commands, failures and slow ones."""

    def __init__(self) -> None:
        self._counters = counters_of(READ_MODELS_DRIVER)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count nothing; its end is counted."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._counters.command(event.command_name, event.duration_micros / _MICROSECONDS)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        took_s = event.duration_micros / _MICROSECONDS
        self._counters.command(event.command_name, took_s, failed=True)
