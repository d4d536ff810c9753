"""The seeded simulation (reliability.md, section 9): the whole way in one thread under a virtual time.

loop    an event loop whose time is virtual
world   operators, partners, a service that crashes; everything random comes from the seed
truth   what must hold after every run, R1 to R9

`python -m tests.simulation --seeds 1000` runs many; a failing seed is printed and replays exactly.
"""
