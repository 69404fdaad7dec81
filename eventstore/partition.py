"""Partitions of the log: which one holds an organization's events.

The number of partitions is fixed when a log is created. Partition 0 holds the events of the
platform (accounts, sessions). Every other organization is in one of the rest, by a hash of its id.
"""

from functools import lru_cache
from zlib import crc32

from domain.base import PLATFORM, OrgId

PARTS_MAX = 1024
"""As many as fit in 10 bits; 64 are enough for a log spread over several machines."""


def partition_of(org_id: OrgId, parts: int) -> int:
    """Return the partition, of *parts*, that holds an organization's events."""
    # Not in the cache when there is only one, because the lookup has to hash the id.
    return 0 if parts == 1 else _hashed(org_id, parts)


@lru_cache(65_536)
def _hashed(org_id: OrgId, parts: int) -> int:
    return 0 if org_id == PLATFORM else 1 + crc32(org_id.bytes) % (parts - 1)


def check_part(part: int, parts: int) -> None:
    """Refuse a partition that the log does not have.

    :raises ValueError: *part* is not one of 0 … *parts* - 1.
    """
    if not 0 <= part < parts:
        raise ValueError(f"the log has {parts} partition(s), numbered from 0; there is no {part}")
