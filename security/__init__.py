"""Who may speak, and is believed: passwords, tokens, seals and signatures; keys are passed in."""
