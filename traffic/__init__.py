"""The message's way, one module per station.

ports      what the doors give us and what we give them
accept     an MO or a receipt from a link: parts joined, decided, committed, acknowledged
parts      the parts of long MO that wait for each other
doubts     answers that may not have arrived: what an operator perhaps delivers again
settle     the decision for one message, as one paragraph (pure)
commit     gathers facts into one transaction
dispatch   what is due to partners: call, read the answer, retry
queues     one partner's jobs in memory, no more than it can be called with in time
submit     a reply through the API, durable before it is answered
send       outbox → a link with room → submitted
lanes      lines with what has begun on each, and which one for the next message
janitor    what comes to its end by time alone
retry      when to try again and when to stop (pure)
way        the stations joined

Rule: only asyncio, a Clock and ports handed in; the simulation runs all of it under a virtual time.
"""
