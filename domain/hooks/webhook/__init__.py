"""Webhook: a customer's URL that receives an organization's events."""
