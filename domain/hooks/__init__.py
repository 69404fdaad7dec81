"""Webhooks: the addresses that customers register to be notified of events."""
