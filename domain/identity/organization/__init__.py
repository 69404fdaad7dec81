"""Organization: a customer, with its members and its plan."""
