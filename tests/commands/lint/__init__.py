"""The check of a whole log finds what is forged, and nothing else."""
