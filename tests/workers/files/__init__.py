"""Tests of what workers do with files."""
