"""What only SQLite needs: its driver, a file as a whole, and rows that are added together."""
