"""CIMD2: codec and sessions, against the vectors, against each other and against garbage."""
