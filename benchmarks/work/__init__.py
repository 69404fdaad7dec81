"""Benchmarks of the work itself: relations, counts, files, the dashboard."""
