"""Routes for planning: boards."""
