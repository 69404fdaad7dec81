"""Stories of mails that follow from what somebody did not read."""
