"""What planning costs: boards."""
