"""Benchmarks of what comes in and goes out: live events."""
