"""Settlement with operators in the store."""
