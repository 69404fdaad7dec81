"""Stories of forks of organizations."""
