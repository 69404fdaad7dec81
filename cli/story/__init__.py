"""The demo organization, and the story of the demo with its claims and how each is checked."""
