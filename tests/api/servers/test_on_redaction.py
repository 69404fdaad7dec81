"""Redaction, on servers."""

from tests.api.test_redaction import *  # noqa: F403 - all of its stories
