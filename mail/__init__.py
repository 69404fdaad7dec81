"""Mails: what the events say to whom, the outbox, and the SMTP client."""
