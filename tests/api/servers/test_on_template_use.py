"""What is made from task templates, on servers."""

from tests.api.planning.test_template_use import *  # noqa: F403 - all of its stories
