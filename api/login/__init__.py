"""Login: credentials, tokens, cookies and registration."""
