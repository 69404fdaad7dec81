"""Commands on projects and tasks."""
