"""Tests of what follows from events."""
