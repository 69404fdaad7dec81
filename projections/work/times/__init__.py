"""When something happened to tasks: the times between which a list shows them."""
