"""The alphabets and parts of short messages."""
