"""What it costs that the product runs: its start, and its memory."""
