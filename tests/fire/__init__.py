"""Under fire: the real service process, killed, starved, cut off and lied to (reliability.md, section 9).

stage.py      the stage: a database, message centres, a partner, the service as a process of its own
process.py    that process: start, wait for /health, kill, read its log
proxy.py      TCP between two of them: cut after N octets, swallow, inject, cut in a COMMIT
truth.py      what must hold, whatever was done to it
syscalls.py   is every acknowledgement written after the fsync that covers its message? over strace's output; pure
service.py    the service with a fault of ours built in, for control runs
kills.py, cuts.py, freezes.py, outages.py, redis_outages.py, held_commits.py
              campaigns that `python -m tests.soak` runs in their long form too
refusals.py   a server that answers and does not do it: read-only, locked, rights taken away
test_*.py     a campaign each, in its short form

Rule: nothing sleeps in place of an event; a campaign waits for what it waits for, within a limit that fails it.
"""
