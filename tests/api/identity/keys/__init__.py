"""API keys through the API."""
