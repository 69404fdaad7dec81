"""Audit: Merkle trees, signatures, exports, verification and the trail of who did what."""
