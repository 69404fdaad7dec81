"""Stories of the trash."""
