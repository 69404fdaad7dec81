"""What the stores share: how a batch is settled, and the tables in SQL."""
