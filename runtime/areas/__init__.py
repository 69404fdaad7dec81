"""Settings of single areas, which `Settings` holds together with all others."""
