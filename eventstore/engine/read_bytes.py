"""SQL that ends a read by the size of its rows, for drivers that receive all rows at once."""

from eventstore.recorded import READ_BYTES_MAX

_FEW_ROWS = 16
"""Rows that are small together, whatever each holds: an event is smaller than the largest body of
a request, which is 1 MiB."""


def within_read_bytes(columns: str, statement: str, order: str, limit: int) -> str:
    """Return a read of *columns* in an *order* that also ends after ``READ_BYTES_MAX``."""
    if limit <= _FEW_ROWS:
        return statement
    before = (
        "sum(octet_length(state) + coalesce(octet_length(private), 0))"
        f" OVER (ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    return (
        f"SELECT {columns} FROM (SELECT *, {before} AS before FROM ({statement}) AS found)"
        f" AS summed WHERE before IS NULL OR before < {READ_BYTES_MAX} ORDER BY {order}"
    )
