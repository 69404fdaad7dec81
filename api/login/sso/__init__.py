"""Single sign-on: logins through the identity provider of an organization.

Imported by the first such login only, because the protocol's libraries take long to import.
"""
