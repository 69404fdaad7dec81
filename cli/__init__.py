"""The operator's commands: run, rebuild, replay, export, verify, check, demo."""
