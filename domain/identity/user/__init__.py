"""User: a person's account, the same in every organization they belong to."""
