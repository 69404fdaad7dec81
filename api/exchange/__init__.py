"""Routes by which events and tasks come in and go out in bulk."""
