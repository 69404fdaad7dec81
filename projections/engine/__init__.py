"""The engine that builds, updates, switches and rebuilds every read model."""
