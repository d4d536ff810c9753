"""From a text on a short code to the service that it is for.

table   fold() and Table: the catalogue's prefixes, indexed; two that may not meet are refused
match   a text → Route with its body, or Unrouted with the reason

Rule: pure; a look-up costs the same with ten prefixes and with a million.
"""
