"""Catalog of all read models."""

from typing import Any

from projections.base import Projection
from projections.hooks.webhook import Webhooks
from projections.identity.member import Members
from projections.identity.organization import Organizations
from projections.identity.session import Sessions
from projections.identity.user import Users
from projections.work.project import Projects
from projections.work.task import Tasks

PROJECTIONS: tuple[Projection[Any], ...] = (
    Members(),
    Organizations(),
    Projects(),
    Sessions(),
    Tasks(),
    Users(),
    Webhooks(),
)
