"""Routes by which events and tasks come in and go out, and by which clients start."""
