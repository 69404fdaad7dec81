"""Forks of organizations, on servers."""

from tests.api.fork.conftest import filled
from tests.api.fork.test_abandoning import *  # noqa: F403 - all of its stories
from tests.api.fork.test_equality import *  # noqa: F403 - all of its stories
from tests.api.fork.test_making import *  # noqa: F403 - all of its stories
from tests.api.fork.test_sight import *  # noqa: F403 - all of its stories

__all__ = ["filled"]  # a fixture, found by its name
