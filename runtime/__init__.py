"""Settings, clock, wiring, wake-ups, logging: what every process needs."""
