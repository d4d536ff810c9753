"""The door to the partners.

dispatch/   callbacks: how a partner is told of an MO
http/       the partner HTTP API

Rule: whatever a partner sends or fails to send harms nobody but itself; nobody sees what is another's.
"""
