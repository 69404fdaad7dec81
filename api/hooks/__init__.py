"""Routes for webhooks and their deliveries."""
