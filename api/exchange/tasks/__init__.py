"""Files of tasks on their way in and out."""
