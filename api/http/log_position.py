"""X-Position: how far the log of the caller's organization was, as one number.

Clients send it back in X-Min-Position and must not interpret it. Besides the position, it holds
what positions depend on: the number of partitions of the log, and its epoch. A number from another
layout, such as before a move or an accepted restore, is ignored.
"""

from eventstore.partition import PARTS_MAX

_PARTS_BITS = (PARTS_MAX - 1).bit_length()
_EPOCH_BITS = 6
"""Enough to tell an epoch from the ones around it."""

_LAYOUT_BITS = _PARTS_BITS + _EPOCH_BITS


def shown_position(position: int, parts: int, epoch: int) -> int:
    """Return *position* in a log of *parts* partitions as clients get it.

    It stays below 2**53, which every JSON number holds exactly, up to 10**11 events a partition.
    """
    return position << _LAYOUT_BITS | _layout(parts, epoch)


def asked_position(shown: int, parts: int, epoch: int) -> int:
    """Return the position that ``shown_position`` was given; 0 if it is of another layout."""
    position, layout = divmod(shown, 1 << _LAYOUT_BITS)
    return position if layout == _layout(parts, epoch) else 0


def _layout(parts: int, epoch: int) -> int:
    return epoch % (1 << _EPOCH_BITS) << _PARTS_BITS | parts - 1
