"""What follows from an event: commands that the system runs because of it."""
