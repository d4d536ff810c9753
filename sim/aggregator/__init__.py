"""The pocket aggregator: an operator that speaks HTTP, in small, by the declared mapping of a link read from its side.

pocket        what `tollbridge sim http` runs
aggregator    PocketAggregator: calls with MO, takes submissions, sends receipts
mapping       the mapping, a table for each side of it
calls         an MO, a receipt → calls;  answers, what the link's answers mean, and ours
submissions   a request of the link → an MT, or what is wrong with it
showing       who is who;  names, fields as they stand in queries, forms and JSON;  exchange, requests as values
network       calls and a listener over sockets

It has no sessions, so it is a sibling of sim/centre.py and no tongue of it.
"""
