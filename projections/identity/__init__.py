"""Read models of people, sessions and organizations."""
