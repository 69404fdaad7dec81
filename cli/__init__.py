"""The door for operators: run, rebuild, verify, export, examine."""
