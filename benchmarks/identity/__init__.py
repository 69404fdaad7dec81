"""What logging in and checking a caller costs, and what it tells a stranger."""
