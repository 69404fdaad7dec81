"""Webhook deliveries: subscriptions, fan-out, queue, retries and the HTTP client."""
