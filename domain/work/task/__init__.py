"""Task: one piece of work in a project."""
