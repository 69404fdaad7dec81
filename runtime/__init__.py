"""Puts the house together: settings, clock, wiring, wake-ups, logging, health."""
