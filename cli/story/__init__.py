"""The demo's story: its claims and how each is checked."""
