"""Which past moment a GET asks for, and what the answer says of it."""
