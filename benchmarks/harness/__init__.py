"""What every benchmark measures with: clocks, machines, clients, servers and seeds."""
