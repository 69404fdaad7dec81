"""Commands that move something to the trash and bring it back."""
