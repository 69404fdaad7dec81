"""The engine that builds, updates, switches and rebuilds read models."""
