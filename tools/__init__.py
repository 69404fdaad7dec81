"""Development tools: generate the reference pages and the lock file of the image."""
