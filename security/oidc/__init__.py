"""OpenID Connect: the tokens of identity providers, and logins through them that have begun."""
