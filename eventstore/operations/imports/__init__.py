"""How far imports of tasks are: the port, and its adapters."""
