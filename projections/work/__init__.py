"""Read models of projects and tasks."""
