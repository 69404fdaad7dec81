"""A fork of an organization, as people see it over HTTP."""
