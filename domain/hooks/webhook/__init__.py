"""Webhook: an address of the customer's that is told what happened."""
