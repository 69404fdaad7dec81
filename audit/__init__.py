"""Proves what happened: trees, signatures, exports and their verification."""
