"""Mails about events: their texts, the outbox, and the SMTP client."""
