"""Task templates: what a new task starts with."""
