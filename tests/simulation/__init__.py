"""The seeded simulation (reliability.md, section 9): the whole way in one thread under a virtual time.

loop      an event loop whose time is virtual; processes on it that can be frozen and killed
network   connections between processes; faults, a database that fails as told
plans     what a seed has in store: how often what goes wrong, when it begins, which processes share the database
service   one process: the real way, links, journal and heartbeat
world     operators, partners and processes that crash; everything random comes from the seed
truth     what must hold after every run, R1 to R9
mutants   bugs that are planted, to prove that all this sees them

`python -m tests.simulation --seeds 1000` runs many; a failing seed is printed and replays exactly.
"""
