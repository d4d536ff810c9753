"""Stories from delivery to receipt, on a real database, with a partner and an operator made of values."""
