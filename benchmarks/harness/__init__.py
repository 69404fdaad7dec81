"""What all benchmarks share: clocks, machines, clients, servers and seed data."""
