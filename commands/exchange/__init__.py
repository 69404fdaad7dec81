"""Commands on many things at once."""
