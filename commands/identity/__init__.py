"""Commands on users, sessions and organizations."""
