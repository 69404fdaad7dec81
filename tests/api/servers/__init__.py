"""Stories of features that other folders tell of SQLite, told again of servers."""
