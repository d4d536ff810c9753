"""The mirror of tollbridge/papers/."""
