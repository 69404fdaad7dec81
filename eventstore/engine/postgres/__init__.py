"""What only PostgreSQL needs: connections, and events staged before the lock is taken."""
