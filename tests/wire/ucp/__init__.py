"""UCP: the codec, and sessions of both roles."""
