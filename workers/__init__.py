"""Tells others what happened: signed webhooks, and the jobs around them."""
