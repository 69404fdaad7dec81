"""Logged time, on servers."""

from tests.api.planning.test_worklog import *  # noqa: F403 - all of its stories
