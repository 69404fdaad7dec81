"""Read models of people and sessions, and how the API shows an organization."""
