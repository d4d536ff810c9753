"""The message's way, one module per station.

ports      what the doors give us and what we give them
accept     an MO from a link: parts joined, decided, committed, acknowledged
settle     the decision for one message, as one paragraph (pure)
commit     gathers facts into one transaction
dispatch   what is due to partners: call, read the answer, retry
submit     an MT from anywhere: made durable
send       outbox → a link with room → submitted
receipt    a receipt: move the state
retry      when to try again and when to stop (pure)

Rule: only asyncio, a Clock and ports handed in; the simulation runs all of it under a virtual time.
"""
