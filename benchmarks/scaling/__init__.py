"""What many organizations and many processes cost."""
