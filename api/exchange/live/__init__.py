"""Live events: followed once per process, checked for each reader, and sent to them."""
