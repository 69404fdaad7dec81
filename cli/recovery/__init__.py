"""Commands for when a database is lost, doubted or outgrown: backups, moves, restores."""
