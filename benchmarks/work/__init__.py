"""Benchmarks of the work itself: lists, relations, counts, files, the dashboard."""
