"""The event by which an organization says that it is a copy of another one."""

from datetime import datetime

from domain.base import Event, OrgId


class OrganizationForked(Event, frozen=True, kw_only=True, tag="organization.forked"):
    """An organization was made as a copy of another one, as that was at an event of its log.

    `at` is the sequence number of that event, and `recordedAt` when it was recorded. What was
    recorded before this event is copied.
    """

    from_organization: OrgId
    at: int
    recorded_at: datetime
