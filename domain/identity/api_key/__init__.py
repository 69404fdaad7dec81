"""API key: lets a program work in one organization on behalf of the member who created it."""
