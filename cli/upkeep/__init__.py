"""The operator's commands for what happens once in a while: other keys, other people."""
