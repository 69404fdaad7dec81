"""The OpenAPI description of the API, and the schemas of events."""
