"""Authentication and cryptography: passwords, tokens, encryption, signatures, the URL guard."""
