"""Users, their sessions, and the organizations they belong to."""
