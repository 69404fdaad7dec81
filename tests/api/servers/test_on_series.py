"""Tasks that repeat, on servers."""

from tests.api.planning.test_recurrence import *  # noqa: F403 - all of its stories
