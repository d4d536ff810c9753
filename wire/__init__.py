"""Protocols as machines: bytes in, events out. No socket, no clock, no reactor, nothing of ours from elsewhere.

errors    LocalError (we broke the protocol), RemoteError (the peer did)
session   the contract that every machine keeps, and the events that all of them speak
machine   the trunk of all machines: output, events that wait, time, allowance, what is owed
rules     who may say which request, in which states
window    requests in flight with their deadlines; the allowance per second
smpp      SMPP 3.4, either side
ucp       UCP/EMI 3.5 to 5, either side
cimd2     CIMD2, either side

Rule: the same machine plays both roles, so two of them joined by their bytes are the whole test bench.
"""
