"""Routes for projects and tasks."""
