"""Programs about the project itself: the generated pages of docs/, the lock of the image."""
