"""Task templates, on servers."""

from tests.api.planning.test_template import *  # noqa: F403 - all of its stories
