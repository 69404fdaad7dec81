"""Session: one login and all refresh tokens issued for it."""
