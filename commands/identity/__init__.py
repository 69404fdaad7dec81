"""Commands on people, sessions and organizations."""
