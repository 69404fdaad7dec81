"""Timesheets, on servers."""

from tests.api.planning.test_timesheet import *  # noqa: F403 - all of its stories
