"""Task: one piece of work inside a project."""
