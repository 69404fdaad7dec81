"""Other ways to build the same service, measured next to ours."""
