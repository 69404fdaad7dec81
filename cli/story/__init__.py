"""The demo's story: what it claims, and how each claim is checked."""
