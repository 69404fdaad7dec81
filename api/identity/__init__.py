"""Routes for accounts, sessions, organizations and their members."""
