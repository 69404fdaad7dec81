"""Proofs over one event or two checkpoints: made from stored nodes, checked without the log."""
